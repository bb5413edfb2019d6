package main

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/protocol"
)

const putHelp = `Makes a user, or changes one. What no flag names stays as it is.

The office's word has the priority that "sources list" shows. --blank holds a
value empty whatever other sources say; --withdraw ends what the office says
about it, so that the next source's word stands.

The PIN never stands on the command line: --pin asks for it, --pin-file reads
it from a file, or from the standard input with "-".`

const putExample = `  doorsync-central users put 4 --first-name Anna --card 6543 --group staff
  doorsync-central users put 4 --expires 2027-01-01 --blank email --withdraw phone
  echo 2468 | doorsync-central users put 4 --pin-file -`

// putFlags is what the flags of put were set to.
type putFlags struct {
	set, blank, withdraw []string
	cards, takeCards     []string
	take                 []string
	join, leave          []string
	activates, expires   string
	askPIN               bool
	pinFile              string
	values               map[protocol.Field]*string
}

// putFields are the values that have a flag of their own.
func putFields() []protocol.Field {
	return []protocol.Field{
		protocol.FieldFirstName, protocol.FieldLastName, protocol.FieldName, protocol.FieldEmail, protocol.FieldPhone,
		protocol.FieldEmployeeNumber, protocol.FieldDepartment, protocol.FieldTitle, protocol.FieldState, protocol.FieldUserID,
	}
}

func (a *app) usersPut() *cobra.Command {
	var p putFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "put <user>", Short: "Make or change a user", Long: putHelp, Example: putExample,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeUsers,
	})
	p.register(cmd)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		patch, err := p.patch(cmd)
		if err != nil {
			return err
		}
		return a.oneUser(func(cmd *cobra.Command, c *client.Client, ids []string) (api.User, error) {
			return c.Put(cmd.Context(), ids[0], patch)
		})(cmd, ids)
	}
	return cmd
}

func (p *putFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	p.values = map[protocol.Field]*string{}
	usage := map[protocol.Field]string{
		protocol.FieldState: "active or inactive", protocol.FieldUserID: "new user ID; the old one stays an alias",
		protocol.FieldName: "whole name, where first and last are not told apart",
	}
	for _, field := range putFields() {
		text := cmp.Or(usage[field], strings.ReplaceAll(string(field), "_", " "))
		p.values[field] = f.String(flagOf(field), "", text)
	}
	f.StringArrayVar(&p.set, "set", nil, "any value, as field=value; custom:locker=12 for one of your own")
	f.StringSliceVar(&p.blank, "blank", nil, "fields to hold empty")
	f.StringSliceVar(&p.withdraw, "withdraw", nil, "fields about which the office says nothing any more")
	f.StringSliceVar(&p.cards, "card", nil, "number of a card to give")
	f.StringSliceVar(&p.takeCards, "take-card", nil, "number of a card that the office no longer gives")
	f.StringArrayVar(&p.take, "take", nil, "key of a credential that the office no longer gives")
	f.StringSliceVar(&p.join, "group", nil, "access group to put the user into")
	f.StringSliceVar(&p.leave, "leave-group", nil, "access group to take the user out of, whoever gave it")
	f.StringVar(&p.activates, "activates", "", "from when the user may enter: 2026-11-22, 2026-11-22T08:00:00Z, or always")
	f.StringVar(&p.expires, "expires", "", "until when the user may enter: a time, or never")
	f.BoolVar(&p.askPIN, "pin", false, "ask for the PIN")
	f.StringVar(&p.pinFile, "pin-file", "", "file that holds the PIN, - for the standard input")
}

func flagOf(f protocol.Field) string { return strings.ReplaceAll(string(f), "_", "-") }

func (p *putFlags) patch(cmd *cobra.Command) (api.Patch, error) {
	out := api.Patch{Blank: fieldNames(p.blank), Withdraw: fieldNames(p.withdraw), Join: p.join, Leave: p.leave, Take: p.take}
	var err error
	if out.Set, err = p.setValues(cmd); err != nil {
		return api.Patch{}, err
	}
	for _, n := range p.cards {
		key, err := credentialKey(nil, n)
		if err != nil {
			return api.Patch{}, err
		}
		out.Give = append(out.Give, api.NewCredential{Kind: string(protocol.KindCard), Number: protocol.CredentialKey(key).Credential().Number})
	}
	for _, n := range p.takeCards {
		key, err := credentialKey(nil, n)
		if err != nil {
			return api.Patch{}, err
		}
		out.Take = append(out.Take, key)
	}
	out.Validity = p.span(cmd)
	out.PIN, err = p.pin(cmd)
	return out, err
}

// setValues are the values of the flags that were given. An empty one would
// say nothing, and is more likely a variable that was not set.
func (p *putFlags) setValues(cmd *cobra.Command) (map[string]string, error) {
	out := map[string]string{}
	for field, v := range p.values {
		if !cmd.Flags().Changed(flagOf(field)) {
			continue
		}
		if strings.TrimSpace(*v) == "" {
			return nil, usagef("--%s is empty; to hold it empty use --blank %s, to say nothing about it --withdraw %s", flagOf(field), field, field)
		}
		out[string(field)] = *v
	}
	for _, s := range p.set {
		field, v, ok := strings.Cut(s, "=")
		if !ok || strings.TrimSpace(v) == "" {
			return nil, usagef("--set %s: write field=value", field)
		}
		if protocol.Field(field).Secret() {
			return nil, usagef("the %s never stands on the command line; use --pin or --pin-file", field)
		}
		out[field] = v
	}
	return out, nil
}

func (p *putFlags) span(cmd *cobra.Command) *api.Span {
	if !cmd.Flags().Changed("activates") && !cmd.Flags().Changed("expires") {
		return nil
	}
	var s api.Span
	if cmd.Flags().Changed("activates") {
		s.ActivatesAt = orOpen(p.activates, "always")
	}
	if cmd.Flags().Changed("expires") {
		s.ExpiresAt = orOpen(p.expires, "never")
	}
	return &s
}

func orOpen(v, word string) *string {
	if v == word {
		v = ""
	}
	return &v
}

// fieldNames lets people write first-name where the field is first_name.
func fieldNames(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		if !strings.HasPrefix(n, protocol.CustomPrefix) {
			n = strings.ReplaceAll(n, "-", "_")
		}
		out = append(out, n)
	}
	return out
}
