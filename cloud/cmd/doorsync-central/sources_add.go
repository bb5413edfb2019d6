package main

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"doorsync/cloud/api"
)

const csvHelp = `The columns are found by the header, if it has names that are known. Without a
header the order is: first name, last name, e-mail address, ID (a card's number),
and optionally a sync ID. Anything else is said with --columns, by the name in
the header or by number:

  --columns "Vorname=first_name,3=email,Karte=card,Gruppen=groups"

A column is one of first_name, last_name, name, email, phone, employee_number,
department, title, user_id, state, activates_at, expires_at, pin, card, mobile,
groups, sync_id, language, antipassback_exempt, extended_grant, custom:NAME. Some
take options behind a colon:

  Karte=card:hex                 a number in hexadecimal
  Karte=card:facility:number     12:3456, as one number of wiegand26
  Gruppen=groups:split=/         several in one cell
  Ende=expires_at:dd.mm.yyyy;zone=Europe/Berlin;end-of-day
  Status=state:active=A;inactive=G

With a sync ID a person stays the same whatever changes. Without one the e-mail
address tells people apart, and a changed address is a new person.

--keys are what tell that somebody in the file is a user who is already known:
sync_id, email, full_name, user_id, employee_number, credential, custom:NAME. One
is enough. Without any, everybody in the file is new.

--gone is what becomes of a user whom the file no longer names:
  keep                 stays as they are
  remove-if-only       removed, if only this source knew them (the default)
  remove               removed
  deactivate-if-only   inactive, if only this source knew them
  deactivate           inactive`

// sourceFlags is what the flags of add and set were set to.
type sourceFlags struct {
	keys     []string
	gone     string
	idsFrom  uint64
	notify   bool
	guard    string
	csv      csvFlags
	interval string
	watch    bool
	skip     bool
	overdue  float64
	contacts []string
}

// csvFlags say how a file is read.
type csvFlags struct {
	file, columns, header, delimiter, encoding, dates, zone, separator, id string
	active, inactive, yes, no                                              []string
}

func (c *csvFlags) register(f *pflag.FlagSet) {
	f.StringVar(&c.columns, "columns", "", "which column is what: name=field or number=field, with commas")
	f.StringVar(&c.header, "header", "", "whether the first row names the columns: yes, no or detect")
	f.StringVar(&c.delimiter, "delimiter", "", "comma, semicolon, tab, pipe or detect")
	f.StringVar(&c.encoding, "encoding", "", "utf-8, utf-16, utf-16le, utf-16be, windows-1252 or detect")
	f.StringVar(&c.dates, "dates", "", `format of dates, for example "dd.mm.yyyy hh:mm"`)
	f.StringVar(&c.zone, "zone", "", `time zone of dates that say none, for example "Europe/Berlin" (default UTC)`)
	f.StringVar(&c.separator, "separator", "", `between several cards or groups in one cell (default "|" and ";"); none for one a cell`)
	f.StringVar(&c.id, "id", "", `what the column ID of the usual order is, for example mobile or card:hex (default card)`)
	f.StringSliceVar(&c.active, "active", nil, "more words for active")
	f.StringSliceVar(&c.inactive, "inactive", nil, "more words for inactive")
	f.StringSliceVar(&c.yes, "yes", nil, "more words for yes")
	f.StringSliceVar(&c.no, "no", nil, "more words for no")
}

// change holds what was set, and nothing else.
func (c *csvFlags) change(f *pflag.FlagSet) api.CSVChange {
	return api.CSVChange{
		File: changed(f, "file", &c.file), Columns: changed(f, "columns", &c.columns), Header: changed(f, "header", &c.header),
		Delimiter: changed(f, "delimiter", &c.delimiter), Encoding: changed(f, "encoding", &c.encoding),
		Dates: changed(f, "dates", &c.dates), Zone: changed(f, "zone", &c.zone), Split: changed(f, "separator", &c.separator),
		ID: changed(f, "id", &c.id), Active: changed(f, "active", &c.active), Inactive: changed(f, "inactive", &c.inactive),
		Yes: changed(f, "yes", &c.yes), No: changed(f, "no", &c.no),
	}
}

// changed is the value of a flag that was set, nil if it was not.
func changed[T any](f *pflag.FlagSet, name string, value *T) *T {
	if !f.Changed(name) {
		return nil
	}
	return value
}

func (s *sourceFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.csv.file, "file", "", `the file, as the center sees it; "" if contents are always sent with "import --file"`)
	s.csv.register(f)
	f.StringSliceVar(&s.keys, "keys", nil, "global keys by which its people are found among those known")
	f.StringVar(&s.gone, "gone", "", "what becomes of users whom it no longer names (default remove-if-only)")
	f.StringVar(&s.interval, "interval", "", "how often the center looks at the file, and a run is expected: 15m, 1h, off (default 1h)")
	f.BoolVar(&s.watch, "watch", true, "import when the file has changed and stopped growing")
	f.StringVar(&s.guard, "guard", "", `percent:people, "20:10": an import that would remove or change more asks first`)
	f.BoolVar(&s.skip, "skip-bad-rows", false, "take in the other rows where some are wrong")
	f.Float64Var(&s.overdue, "overdue", 0, "report a run that has not come for so many intervals (default 2)")
	f.StringSliceVar(&s.contacts, "contact", nil, "e-mail address that hears of runs that failed, wait or are overdue")
	f.Uint64Var(&s.idsFrom, "ids-from", 0, "where user IDs begin that are made up for its people (default 100000)")
	f.BoolVar(&s.notify, "notify", false, "mail to people who come and go")
}

// completeFlags offers the words that flags take.
func completeFlags(cmd *cobra.Command) {
	for flag, words := range map[string][]string{
		"gone":      {"keep", "remove-if-only", "remove", "deactivate-if-only", "deactivate"},
		"keys":      {"sync_id", "email", "full_name", "user_id", "employee_number", "credential"},
		"header":    {"yes", "no", "detect"},
		"delimiter": {"comma", "semicolon", "tab", "pipe", "detect"},
		"encoding":  {"utf-8", "utf-16", "utf-16le", "utf-16be", "windows-1252", "detect"},
	} {
		if cmd.Flags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
		}
	}
}

func (s *sourceFlags) change(f *pflag.FlagSet) (api.SourceChange, error) {
	csv := s.csv.change(f)
	if csv.File != nil {
		csv.File = new(wholePath(s.csv.file))
	}
	csv.Interval, csv.Watch = changed(f, "interval", &s.interval), changed(f, "watch", &s.watch)
	csv.SkipBadRows, csv.Overdue = changed(f, "skip-bad-rows", &s.skip), changed(f, "overdue", &s.overdue)
	csv.Contacts = changed(f, "contact", &s.contacts)
	if s.guard != "" {
		percent, least, err := guard(s.guard)
		if err != nil {
			return api.SourceChange{}, err
		}
		csv.Percent, csv.Least = &percent, &least
	}
	out := api.SourceChange{
		Keys: changed(f, "keys", &s.keys), Gone: changed(f, "gone", &s.gone), IDsFrom: changed(f, "ids-from", &s.idsFrom),
		Notify: changed(f, "notify", &s.notify),
	}
	if csv != (api.CSVChange{}) {
		out.CSV = &csv
	}
	return out, nil
}

func guard(text string) (percent float64, least int, err error) {
	share, people, ok := strings.Cut(text, ":")
	if ok {
		if percent, err = strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64); err == nil {
			least, err = strconv.Atoi(people)
		}
	}
	if !ok || err != nil {
		return 0, 0, usagef("--guard %s: write percent:people, for example 20:10", text)
	}
	return percent, least, nil
}

// wholePath completes the path of a file on this machine. One of another system
// stays as it is.
func wholePath(path string) string {
	if path == "" || strings.HasPrefix(path, `\\`) || (len(path) > 2 && path[1] == ':') {
		return path
	}
	whole, err := filepath.Abs(path)
	if err != nil {
		return path // the working directory is gone: the center says what it thinks of it
	}
	return whole
}

func (a *app) sourcesAdd() *cobra.Command {
	return group("add", "Add a source", "", a.addCSV())
}

func (a *app) addCSV() *cobra.Command {
	var s sourceFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "csv <name>", Short: "Add a CSV file that another program exports",
		Long: "Adds a CSV file as a source. In the order it comes just above the readers; set\nanother with \"sources order\". Its first import comes with the next look at the\n" +
			"file: try it before with \"sources try\".\n\n" + csvHelp,
		Example: `  doorsync-central sources add csv hr --file /srv/export/users.csv --keys email,full_name
  doorsync-central sources add csv visitors --columns "Name=name,Mail=email,Card=card:hex,Until=expires_at" --dates dd.mm.yyyy`,
		Args: args(cobra.ExactArgs(1)),
	})
	s.register(cmd.Flags())
	completeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		change, err := s.change(cmd.Flags())
		if err != nil {
			return err
		}
		c, err := a.connect()
		if err != nil {
			return err
		}
		out, err := c.AddSource(cmd.Context(), api.NewSource{Name: names[0], Kind: "csv", SourceChange: change})
		if err != nil || !a.json {
			return err
		}
		return printJSON(cmd, out)
	}
	return cmd
}

func (a *app) sourcesSet() *cobra.Command {
	var s sourceFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "set <source>", Short: "Change a source; what is not named stays",
		Long: "Changes a source; what is not named stays. Of office and readers only --keys can\nbe set. A flag set to nothing goes back to what is detected.\n\n" + csvHelp,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSources,
	})
	s.register(cmd.Flags())
	completeFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		change, err := s.change(cmd.Flags())
		if err != nil {
			return err
		}
		if change == (api.SourceChange{}) {
			return usagef("say what to set; see %s --help", cmd.CommandPath())
		}
		c, err := a.connect()
		if err != nil {
			return err
		}
		out, err := c.SetSource(cmd.Context(), names[0], change)
		if err != nil || !a.json {
			return err
		}
		return printJSON(cmd, out)
	}
	return cmd
}

func (a *app) sourcesRemove() *cobra.Command {
	var dry, all bool
	cmd := a.jsonFlag(&cobra.Command{
		Use: "remove <source>", Short: "Withdraw all that a source said, and forget it",
		Long: `Withdraws all that a source said, with the people it named as its --gone says,
and forgets the source. --dry-run tells what would become of whom.`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			p, err := c.RemoveSource(cmd.Context(), names[0], dry)
			if err != nil || (!dry && !a.json) {
				return err
			}
			return a.showPreview(cmd, p, all)
		},
	})
	cmd.Flags().BoolVar(&dry, "dry-run", false, "tell what would be done, and change nothing")
	cmd.Flags().BoolVar(&all, "all", false, "of a dry run print all effects")
	return cmd
}
