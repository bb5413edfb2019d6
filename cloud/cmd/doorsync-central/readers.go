package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

func (a *app) readers() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "readers [site]", Short: "List the readers of all sites, or of one, and whether they are in sync",
		Args: args(cobra.MaximumNArgs(1)), ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			list, err := c.Readers(cmd.Context(), strings.Join(names, ""))
			if err != nil {
				return err
			}
			if a.json {
				return printAll(jsonLines[api.Reader](cmd), list)
			}
			return showReaders(cmd, list, true)
		},
	})
}

func showReaders(cmd *cobra.Command, list []api.Reader, withSite bool) error {
	head := []string{"READER", "READER ID", "DRIVER", "ADDRESS", "STATE", "FOR", "USERS", "NOTE"}
	if withSite {
		head = append([]string{"SITE"}, head...)
	}
	t := newTable(cmd, head...)
	for _, r := range list {
		row := []string{r.Name, r.ReaderID, r.Driver, r.Address, r.State, since(r.Since), number(r.Users), readerNote(r)}
		if withSite {
			row = append([]string{r.Site}, row...)
		}
		t.row(row...)
	}
	return t.flush()
}

func readerNote(r api.Reader) string {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{
		{r.Add, "to add"},
		{r.Update, "to update"},
		{r.Delete, "to delete"},
		{r.Held, "deletes held"},
		{r.GivenUp, "given up"},
		{r.Unknown, "unknown"},
	} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	if r.Error != "" {
		parts = append(parts, r.Error)
	}
	return strings.Join(parts, ", ")
}
