package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/protocol"
)

func (a *app) usersShow() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "show <user>", Short: "Show one user",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, ids []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			u, err := c.User(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, u)
			}
			return showUser(cmd, u)
		},
	})
}

func showUser(cmd *cobra.Command, u api.User) error {
	t := newTable(cmd)
	t.row("user", u.ID)
	t.row("name", u.Name)
	t.row("state", standing(u, time.Now()))
	for _, f := range sortedFields(u.Values) {
		if f != string(protocol.FieldState) && f != string(protocol.FieldName) {
			t.row(f, u.Values[f])
		}
	}
	if v := u.Validity; v != nil {
		t.row("activates_at", cmp.Or(v.ActivatesAt, "always"))
		t.row("expires_at", cmp.Or(v.ExpiresAt, "never"))
	}
	t.row("pin", map[bool]string{true: "set", false: "none"}[u.HasPIN])
	t.row("groups", cmp.Or(strings.Join(u.Groups, ", "), "none"))
	for _, c := range u.Credentials {
		t.row(c.Kind, describe(c)+" ["+c.Key+"]")
	}
	if len(u.Aliases) > 0 {
		t.row("aliases", strings.Join(u.Aliases, ", "))
	}
	if n := note(u); n != "" {
		t.row("note", n)
	}
	t.row("guid", u.GUID)
	return t.flush()
}

// describe prints what tells one credential from another, and its state unless
// it is simply given.
func describe(c api.Credential) string {
	text := c.Number
	if c.Finger != nil {
		text = fmt.Sprintf("finger %d", *c.Finger)
	}
	if c.Size > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s %s, %d bytes", text, c.Format, c.Size))
	} else if c.Format != "" && c.Format != protocol.FormatNumber {
		text += " " + c.Format
	}
	if c.Duress {
		text += ", duress"
	}
	if c.State != string(protocol.Given) {
		text += ", " + c.State
	}
	return text
}

func sortedFields(values map[string]string) []string {
	return slices.SortedFunc(maps.Keys(values), byField)
}

// byField orders fields as people are shown them, custom ones last.
func byField(a, b string) int {
	rank := func(s string) int {
		if i := slices.Index(protocol.Fields(), protocol.Field(s)); i >= 0 {
			return i
		}
		return len(protocol.Fields())
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}
