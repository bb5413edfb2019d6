package main

import (
	"slices"

	"github.com/spf13/cobra"

	"doorsync/cloud/api/client"
)

// mostOffered bounds what completion offers.
const mostOffered = 50

// completeUsers offers user IDs, with names, of the center that runs. Without
// one it offers nothing.
func (a *app) completeUsers(cmd *cobra.Command, _ []string, part string) ([]string, cobra.ShellCompDirective) {
	c, err := a.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	page, err := c.Users(cmd.Context(), client.UserQuery{Text: part, Limit: mostOffered})
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, u := range page.Users {
		out = append(out, cobra.CompletionWithDesc(u.ID, u.Name))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeSites offers the names of sites, then of the site's readers.
func (a *app) completeSites(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	if len(given) == 0 {
		sites, _ := c.Sites(cmd.Context()) // none to offer, then
		for _, s := range sites {
			out = append(out, s.Name)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	readers, _ := c.Readers(cmd.Context(), given[0]) // as above
	for _, r := range readers {
		out = append(out, r.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeSources offers the names of the sources that were added.
func (a *app) completeSources(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.connect()
	if err != nil || len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	list, _ := c.Sources(cmd.Context()) // none to offer, then
	var out []string
	for _, s := range list.List {
		if s.Kind != "" {
			out = append(out, s.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeOrder offers what is not yet in the order.
func (a *app) completeOrder(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, _ := c.Sources(cmd.Context()) // none to offer, then
	left := slices.DeleteFunc(s.Order, func(name string) bool { return slices.Contains(given, name) })
	return left, cobra.ShellCompDirectiveNoFileComp
}
