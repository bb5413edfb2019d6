package cloud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
	"doorsync/cloud/sources/csvfile"
)

func (c *center) openMail(context.Context, *teardown) error {
	m := c.cfg.Mail
	templates, err := notify.LoadTemplates(m.Templates, m.Language)
	if err != nil {
		return err
	}
	roots, err := notify.LoadRoots(m.CAFile)
	if err != nil {
		return err
	}
	for _, w := range m.Warnings() {
		c.log.Warn(w)
	}
	c.mail, err = notify.New(notify.Options{
		Outbox: c.roster, Templates: templates, Roster: c.roster.ID(), Server: m.Server, TLS: m.TLS, RootCAs: roots,
		Username: m.Username, Password: m.Password, From: m.From, ReplyTo: m.ReplyTo, Contacts: m.Contacts, Rate: m.Rate, Logger: c.log,
	})
	return err
}

// reports has the contacts told of runs.
type reports struct {
	roster *roster.Roster
	mail   *notify.Notifier
}

// Notify queues a mail to each contact.
func (r reports) Notify(ctx context.Context, n sources.Notice) error {
	kinds := map[sources.State]notify.Kind{
		sources.StateFailed: notify.KindFailure, sources.StateWaiting: notify.KindWaiting, sources.StateOverdue: notify.KindOverdue,
	}
	kind, ok := kinds[n.Report.State]
	if !ok {
		return fmt.Errorf("nobody is told of a run that is %s", n.Report.State)
	}
	out := notify.Report{
		Kind: kind, Source: string(n.Report.Source), Run: n.Report.Run, Contacts: n.Contacts, File: n.Report.File, Started: n.Report.Started,
		Text: n.Report.Failure, Count: n.Report.ErrorCount, Known: n.Report.Known, Changed: n.Report.Changed, Removed: n.Report.Lost, LastDone: n.Last,
	}
	for _, row := range r.roster.SourceRows() {
		if set, err := sources.ParseSettings(row.Settings); row.Name == n.Report.Source && err == nil {
			out.Interval = time.Duration(set.Interval)
		}
	}
	for _, e := range n.Report.Errors {
		out.Errors = append(out.Errors, rowError(e))
	}
	return r.mail.Report(ctx, out)
}

// rowError says in one line of a mail what is wrong at one place of a file.
func rowError(e csvfile.Error) notify.RowError {
	out := notify.RowError{Line: e.Line, Column: e.Name, Value: e.Value, Wrong: e.Wrong, Wanted: e.Wanted}
	if e.Column > 0 {
		out.Column = strings.TrimSpace(fmt.Sprintf("%d %s", e.Column, e.Name))
	}
	return out
}

// outbox is the mail as the API asks for it.
type outbox struct{ mail *notify.Notifier }

// Mails are those that wait, oldest first.
func (o outbox) Mails(ctx context.Context) ([]api.Mail, error) {
	var out []api.Mail
	err := o.mail.List(ctx, 0, func(i notify.Item) bool {
		out = append(out, api.Mail{
			ID: i.ID, Kind: string(i.Kind), To: i.To, Source: i.Source, Run: i.Run, State: string(i.State), Reason: i.Reason,
			Queued: i.Queued, Next: i.Next, Attempts: i.Attempts,
		})
		return true
	})
	return out, err
}

// Resend sends a mail again.
func (o outbox) Resend(ctx context.Context, id uint64) error {
	return mailTrouble(o.mail.Resend(ctx, id))
}

// Drop takes a mail out unsent.
func (o outbox) Drop(ctx context.Context, id uint64) error { return mailTrouble(o.mail.Drop(ctx, id)) }

func mailTrouble(err error) error {
	if errors.Is(err, notify.ErrSending) {
		return fmt.Errorf("%w: %w", api.ErrRefused, err)
	}
	return err
}
