package notify

import (
	"context"
	"fmt"
	"strings"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// maxErrors is how many errors a report carries.
const maxErrors = 1000

// Mail returns the mail to a person who is new or was removed, as the outbox
// keeps it; nil for everything else, for people without an address, and while
// no mail server is set. An address that is none is kept for a person to see.
func (n *Notifier) Mail(source protocol.Source, e roster.Effect, u protocol.User, language string) []byte {
	kind, ok := kindOf(e.Kind)
	address := u.Value(protocol.FieldEmail).First
	if !ok || address == "" || !n.Enabled() {
		return nil
	}
	name := oneLine(u.FullName(), 120)
	out := entry{Queued: n.o.Now().UnixMilli(), Mail: Mail{
		Kind: kind, To: address, Name: name, Language: language, Source: string(source),
		Person: Person{
			Name: name, UserID: oneLine(u.ID, 40),
			FirstName: oneLine(u.Value(protocol.FieldFirstName).First, 60),
			LastName:  oneLine(u.Value(protocol.FieldLastName).First, 60),
		},
	}}
	to, err := parseAddress(address)
	if err != nil {
		out.State, out.Reason, out.Mail.To = StateParked, err.Error(), oneLine(address, maxAddress)
	} else {
		out.Mail.To = to
	}
	b, err := out.encode()
	if err != nil { // strings and numbers always encode
		n.log.Error("mail not queued", "kind", kind, "source", source, "error", err)
		return nil
	}
	return b
}

func kindOf(e roster.EffectKind) (Kind, bool) {
	switch e {
	case roster.EffectNew:
		return KindInvite, true
	case roster.EffectRemoved:
		return KindRemoved, true
	default:
		return "", false
	}
}

// Report queues a mail to each contact: those of the report, or else those of the
// configuration. It does nothing while no mail server is set.
func (n *Notifier) Report(ctx context.Context, r Report) error {
	if !n.Enabled() {
		return nil
	}
	contacts := r.Contacts
	if len(contacts) == 0 {
		contacts = n.o.Contacts
	}
	r = r.trimmed()
	var rows []roster.MailRow
	for _, c := range contacts {
		e := entry{Queued: n.o.Now().UnixMilli(), Mail: Mail{Kind: r.Kind, To: oneLine(c, maxAddress), Source: r.Source, Run: r.Run, Report: r}}
		if _, err := parseAddress(c); err != nil {
			e.State, e.Reason = StateParked, err.Error()
		}
		b, err := e.encode()
		if err != nil {
			return err
		}
		rows = append(rows, roster.MailRow{Mail: b})
	}
	if len(rows) == 0 {
		return nil
	}
	if err := n.o.Outbox.PutMails(ctx, rows); err != nil {
		return fmt.Errorf("queue report about source %s: %w", r.Source, err)
	}
	n.Wake()
	return nil
}

// trimmed leaves nothing in a report that a mail could stumble over.
func (r Report) trimmed() Report {
	r.Count = max(r.Count, len(r.Errors))
	given := r.Errors[:min(len(r.Errors), maxErrors)]
	r.Errors = make([]RowError, 0, len(given))
	for _, e := range given {
		r.Errors = append(r.Errors, RowError{
			Line: e.Line, Column: oneLine(e.Column, 120), Value: oneLine(e.Value, 200),
			Wrong: oneLine(e.Wrong, 400), Wanted: oneLine(e.Wanted, 400),
		})
	}
	r.File, r.Contacts = oneLine(r.File, 400), nil
	lines := strings.Split(r.Text, "\n")
	for i := range lines {
		lines[i] = oneLine(lines[i], 1000)
	}
	r.Text = strings.TrimSpace(strings.Join(lines, "\n"))
	return r
}
