package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorsync/cloud/roster"
)

const (
	batch = 50 // mails that are picked at once
	// settling bounds how long the end of the program waits for the outbox to note
	// what became of a mail.
	settling = 30 * time.Second
)

// pick returns the mails whose turn it is, reports before mail to people, oldest
// first, and when the next of the others is due; zero if none waits.
func (n *Notifier) pick(ctx context.Context, now time.Time) (ids []uint64, next time.Time, err error) {
	n.mu.Lock()
	owed := maps.Clone(n.now.owed)
	n.mu.Unlock()
	var reports, people []uint64
	err = n.o.Outbox.Mails(ctx, 0, func(row roster.MailRow) bool {
		h, err := decodeHead(row.Mail)
		if err != nil || h.State != "" {
			return true
		}
		if _, ok := owed[row.ID]; ok {
			return true
		}
		if due := h.due(now); due.After(now) {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			return true
		}
		toPeople := h.Mail.Kind.toPeople()
		if toPeople && len(people) == batch {
			return true
		}
		if _, err := decodeEntry(row.Mail); err != nil {
			return true // listed as unreadable
		}
		if toPeople {
			people = append(people, row.ID)
		} else {
			reports = append(reports, row.ID)
		}
		return len(reports) < batch
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the outbox: %w", err)
	}
	ids = append(reports, people...)
	return ids[:min(len(ids), n.batch())], next, nil
}

// batch is how many mails go over one connection: fewer where so few are sent a
// minute that the server would not wait.
func (n *Notifier) batch() int {
	if n.o.Rate > 0 && n.o.Rate <= 4 {
		return 1
	}
	return batch
}

// due is when a mail may be tried. One that should wait longer than mails ever
// do was put off before the clock was set back.
func (h head) due(now time.Time) time.Time {
	due := time.UnixMilli(h.Next)
	if due.After(now.Add(maxMailWait)) {
		return now
	}
	return due
}

// claim takes a mail that still waits.
func (n *Notifier) claim(ctx context.Context, id uint64) (e entry, ok bool, err error) {
	n.rows.Lock()
	defer n.rows.Unlock()
	row, ok, err := n.find(ctx, id)
	if err != nil || !ok {
		return entry{}, false, err
	}
	if e, err = decodeEntry(row.Mail); err != nil || e.State != "" {
		return entry{}, false, nil // changed since it was picked
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now.current = id
	return e, true, nil
}

func (n *Notifier) release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now.current = 0
}

// find reads one row.
func (n *Notifier) find(ctx context.Context, id uint64) (out roster.MailRow, ok bool, err error) {
	if id == 0 {
		return out, false, nil
	}
	err = n.o.Outbox.Mails(ctx, id-1, func(row roster.MailRow) bool {
		if ok = row.ID == id; ok {
			out = roster.MailRow{ID: id, Mail: slices.Clone(row.Mail)}
		}
		return false
	})
	if err != nil {
		return roster.MailRow{}, false, fmt.Errorf("read the outbox: %w", err)
	}
	return out, ok, nil
}

func (n *Notifier) put(ctx context.Context, id uint64, e entry) error {
	b, err := e.encode()
	if err != nil {
		return err
	}
	return n.o.Outbox.PutMails(ctx, []roster.MailRow{{ID: id, Mail: b}})
}

// settle notes what became of a mail; nil was sent. What the outbox cannot note
// now is owed, and the mail is not touched until it has: on disk it stands as
// under way, and is found so if the program ends before.
func (n *Notifier) settle(ctx context.Context, id uint64, e *entry) {
	err := n.note(ctx, id, e)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		delete(n.now.owed, id)
		return
	}
	n.now.owed[id] = e
	n.log.Error("the outbox does not note what became of a mail; trying again", "id", id, "error", err)
}

func (n *Notifier) note(ctx context.Context, id uint64, e *entry) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settling)
	defer cancel()
	if e == nil {
		return n.o.Outbox.DropMail(ctx, id)
	}
	return n.put(ctx, id, *e)
}

// repay writes what is owed; it returns false while something is.
func (n *Notifier) repay(ctx context.Context) bool {
	n.rows.Lock()
	defer n.rows.Unlock()
	n.mu.Lock()
	owed := maps.Clone(n.now.owed)
	n.mu.Unlock()
	for id, e := range owed {
		n.settle(ctx, id, e)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.now.owed) == 0
}
