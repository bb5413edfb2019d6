package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorsync/cloud/roster"
)

// ErrSending: the mail is just being sent.
var ErrSending = errors.New("the mail is being sent at this moment; try again in a minute")

// Item is a mail in the outbox as people see it.
type Item struct {
	ID       uint64     `json:"id"`
	Kind     Kind       `json:"kind"`
	To       string     `json:"to"`
	Name     string     `json:"name,omitempty"`
	Source   string     `json:"source,omitempty"`
	Run      uint64     `json:"run,omitempty"`
	State    State      `json:"state"`
	Queued   time.Time  `json:"queued"`
	Attempts int        `json:"attempts,omitempty"`
	Next     *time.Time `json:"next,omitempty"`   // not before
	Reason   string     `json:"reason,omitempty"` // why it was not sent, or may have been
}

// Status is how mail stands.
type Status struct {
	Enabled bool       `json:"enabled"`
	Server  string     `json:"server,omitempty"`
	Trouble string     `json:"trouble,omitempty"` // why the server takes no mail
	Since   *time.Time `json:"since,omitempty"`   // of the trouble
	Sent    uint64     `json:"sent"`              // since the program started
}

// Status says how mail stands.
func (n *Notifier) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := Status{Enabled: n.Enabled(), Server: n.o.Server, Sent: n.now.sent}
	if n.now.trouble != nil {
		since := n.now.since
		out.Trouble, out.Since = n.now.trouble.Error(), &since
	}
	return out
}

// List gives what is in the outbox after an ID, oldest first. fn returns false to
// stop, and must not call the Notifier.
func (n *Notifier) List(ctx context.Context, after uint64, fn func(Item) bool) error {
	n.mu.Lock()
	current, sent := n.now.current, map[uint64]bool{}
	for id, e := range n.now.owed {
		sent[id] = e == nil
	}
	n.mu.Unlock()
	err := n.o.Outbox.Mails(ctx, after, func(row roster.MailRow) bool {
		if sent[row.ID] {
			return true
		}
		return fn(item(row, row.ID == current))
	})
	if err != nil {
		return fmt.Errorf("list mail: %w", err)
	}
	return nil
}

func item(row roster.MailRow, underWay bool) Item {
	e, err := decodeEntry(row.Mail)
	if err != nil {
		return Item{ID: row.ID, State: StateUnreadable, Reason: err.Error() + "; drop it"}
	}
	out := Item{
		ID: row.ID, Kind: e.Mail.Kind, To: e.Mail.To, Name: e.Mail.Name, Source: e.Mail.Source, Run: e.Mail.Run,
		State: e.State, Queued: time.UnixMilli(e.Queued).UTC(), Attempts: e.Attempts, Reason: e.Reason,
	}
	switch {
	case underWay:
		out.State = StateSending
	case e.State == StateSending:
		out.State = StateUnsure
		if e.Reason == "" {
			out.Reason = "the program ended while the mail was handed over; it may have been sent"
		}
	case e.State == "":
		out.State = StateWaiting
		if e.Next != 0 {
			next := time.UnixMilli(e.Next).UTC()
			out.Next = &next
		}
	}
	return out
}

// Resend lets a mail be sent now, whatever became of it before. An unknown one
// is roster.ErrNotFound, one under way ErrSending.
func (n *Notifier) Resend(ctx context.Context, id uint64) error {
	if err := n.change(ctx, id, func(row roster.MailRow) error {
		e, err := decodeEntry(row.Mail)
		if err != nil {
			return fmt.Errorf("%w; drop it", err)
		}
		e.State, e.Next, e.First, e.Attempts, e.Reason = "", 0, 0, 0, ""
		return n.put(ctx, id, e)
	}); err != nil {
		return fmt.Errorf("send mail %d again: %w", id, err)
	}
	n.mu.Lock()
	n.now.until = time.Time{}
	n.mu.Unlock()
	n.Wake()
	return nil
}

// Drop takes a mail out of the outbox unsent. An unknown one is
// roster.ErrNotFound, one under way ErrSending.
func (n *Notifier) Drop(ctx context.Context, id uint64) error {
	if err := n.change(ctx, id, func(roster.MailRow) error { return n.o.Outbox.DropMail(ctx, id) }); err != nil {
		return fmt.Errorf("drop mail %d: %w", id, err)
	}
	return nil
}

// change lets fn write a mail, while nobody else does.
func (n *Notifier) change(ctx context.Context, id uint64, fn func(roster.MailRow) error) error {
	n.rows.Lock()
	defer n.rows.Unlock()
	n.mu.Lock()
	_, owed := n.now.owed[id]
	busy := owed || id == n.now.current && id != 0
	n.mu.Unlock()
	if busy {
		return ErrSending
	}
	row, ok, err := n.find(ctx, id)
	if err != nil {
		return err
	}
	if !ok {
		return roster.ErrNotFound
	}
	return fn(row)
}
