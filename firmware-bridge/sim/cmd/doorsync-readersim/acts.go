package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// values are the flags that say what a person has.
type values struct {
	name, pin, from, to string
	card                uint32
	fingers, doors      []int
	disabled            bool
}

func (v *values) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&v.name, "name", "", "name, as the reader shows it")
	f.Uint32Var(&v.card, "card", 0, "card number; 0 for none")
	f.StringVar(&v.pin, "pin", "", "PIN, digits; empty for none")
	f.IntSliceVar(&v.fingers, "finger", nil, "finger to enroll, 0 (left little) to 9 (right little); each capture gives a new template")
	f.BoolVar(&v.disabled, "disabled", false, "lock the person out")
	f.IntSliceVar(&v.doors, "door", nil, "doors that the card opens, 1 to 4 (controllers)")
	f.StringVar(&v.from, "from", "", "first day, as 2026-01-31 (controllers)")
	f.StringVar(&v.to, "to", "", "last day (controllers)")
}

func enrollCommand(socket *string) *cobra.Command {
	var v values
	var id string
	cmd := &cobra.Command{
		Use:   "enroll READER",
		Short: "Enroll a person at a reader",
		Long: `enroll adds a person at the keys of a running reader. Whoever is connected to
it hears of it as of an enrollment at a device. On a controller a person is a
card: give --card, and no --id.`,
		Example: `  doorsync-readersim enroll front --id 4 --name "Anna Meyer" --card 6543 --pin 1234 --finger 6
  doorsync-readersim enroll gate --card 6543 --door 1,2 --to 2026-12-31`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := person{ID: id, Name: v.name, Card: v.card, PIN: v.pin, Fingers: v.fingers, Doors: v.doors, From: v.from, To: v.to, Disabled: v.disabled}
			return newClient(*socket).do(cmd.Context(), http.MethodPost, path(args[0], "users"), p, nil)
		},
	}
	v.bind(cmd)
	cmd.Flags().StringVar(&id, "id", "", "user ID")
	return cmd
}

func editCommand(socket *string) *cobra.Command {
	var v values
	var id string
	var remove []int
	cmd := &cobra.Command{
		Use:   "edit READER",
		Short: "Edit a person at a reader",
		Long: `edit changes what is given and leaves the rest as it is. Terminals write edits
to their log and tell no client; controllers keep no trace of them at all.`,
		Example: `  doorsync-readersim edit front --id 4 --name "Anna Schulz" --pin "" --finger 7
  doorsync-readersim edit front --id 4 --remove-finger 6 --disabled=false`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c := v.change(cmd)
			c.RemoveFingers = remove
			return newClient(*socket).do(cmd.Context(), http.MethodPatch, path(args[0], "users", id), c, nil)
		},
	}
	v.bind(cmd)
	bindID(cmd, &id)
	cmd.Flags().IntSliceVar(&remove, "remove-finger", nil, "finger to delete")
	return cmd
}

// change holds the flags that were given, and those alone.
func (v *values) change(cmd *cobra.Command) change {
	c := change{AddFingers: v.fingers, Doors: v.doors}
	given := func(flag string) bool { return cmd.Flags().Changed(flag) }
	if given("name") {
		c.Name = &v.name
	}
	if given("card") {
		c.Card = &v.card
	}
	if given("pin") {
		c.PIN = &v.pin
	}
	if given("disabled") {
		c.Disabled = &v.disabled
	}
	if given("from") {
		c.From = &v.from
	}
	if given("to") {
		c.To = &v.to
	}
	return c
}

func deleteCommand(socket *string) *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:     "delete READER",
		Short:   "Delete a person at a reader",
		Example: "  doorsync-readersim delete front --id 4",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return newClient(*socket).do(cmd.Context(), http.MethodDelete, path(args[0], "users", id), nil, nil)
		},
	}
	bindID(cmd, &id)
	return cmd
}

func presentCommand(socket *string) *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:     "present READER",
		Short:   "Pass a reader: a finger, or a card at a controller",
		Example: "  doorsync-readersim present front --id 4",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return newClient(*socket).do(cmd.Context(), http.MethodPost, path(args[0], "users", id, "present"), nil, nil)
		},
	}
	bindID(cmd, &id)
	return cmd
}

func faultCommand(socket *string) *cobra.Command {
	return &cobra.Command{
		Use:   "fault READER FAULT",
		Short: "Give a reader a bad day, or end it",
		Long: `fault makes a reader misbehave until another fault, or none, is set:

  none     all is well
  fewer    tables lack people whom the reader counts
  silent   nothing is answered
  half     tables are announced whole and sent half (terminals)
  garbage  tables are noise (terminals)
  refuse   every write is refused (terminals)`,
		Example: "  doorsync-readersim fault front half",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return newClient(*socket).do(cmd.Context(), http.MethodPut, path(args[0], "fault", args[1]), nil, nil)
		},
	}
}

func bindID(cmd *cobra.Command, id *string) {
	cmd.Flags().StringVar(id, "id", "", "user ID; on a controller the card number (required)")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if *id == "" {
			return usage(errors.New("say who: give --id"))
		}
		return nil
	}
}

func listCommand(socket *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [READER]",
		Short: "List the people in a reader, or the readers that run",
		Example: `  doorsync-readersim list
  doorsync-readersim list front --json`,
		Args: func(cmd *cobra.Command, args []string) error { return usage(cobra.MaximumNArgs(1)(cmd, args)) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				readers, err := newClient(*socket).readers(cmd.Context())
				if err != nil {
					return err
				}
				return printReaders(cmd.OutOrStdout(), readers, asJSON)
			}
			people, err := newClient(*socket).people(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return printPeople(cmd.OutOrStdout(), people, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one a line")
	return cmd
}

func printPeople(w io.Writer, people []person, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		for _, p := range people {
			if err := enc.Encode(p); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tNAME\tCARD\tPIN\tFINGERS\tDOORS\tVALID\tSTATE")
	for _, p := range people {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, unless(p.Card == 0, fmt.Sprint(p.Card)), unless(!p.HasPIN, "****"),
			join(p.Fingers), join(p.Doors), unless(p.From+p.To == "", p.From+".."+p.To), map[bool]string{true: "disabled", false: "active"}[p.Disabled])
	}
	return t.Flush()
}

func unless(empty bool, s string) string {
	if empty {
		return "-"
	}
	return s
}

func join(numbers []int) string {
	out := make([]string, len(numbers))
	for i, n := range numbers {
		out[i] = fmt.Sprint(n)
	}
	return unless(len(out) == 0, strings.Join(out, ","))
}
