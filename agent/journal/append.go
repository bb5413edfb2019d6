package journal

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// maxID bounds user IDs, row keys and readers' names, in bytes.
const maxID = 1024

// Append commits a batch and returns the entries it made, after they are
// durable: entries, users as in effect, rows and cursor are one transaction. The
// batch must not be changed until Append has returned, nor, if it returned
// because ctx ended, after that.
func (j *Journal) Append(ctx context.Context, b Batch) ([]protocol.Entry, error) {
	if err := b.valid(); err != nil {
		return nil, fmt.Errorf("append to journal: %w", err)
	}
	var made []protocol.Entry
	err := j.submit(ctx, &request{size: b.size(), do: func(t *txn) (err error) {
		made, err = t.append(b)
		return err
	}})
	if err != nil {
		return nil, fmt.Errorf("append to journal: %w", err)
	}
	return made, nil
}

func (b Batch) valid() error {
	if b.Reader == "" && (len(b.Rows) > 0 || b.Cursor != nil || b.ForgetRows) {
		return fmt.Errorf("%w: rows or a cursor of no reader", ErrMalformed)
	}
	if len(b.Reader) > maxID {
		return fmt.Errorf("%w: the reader's name is too long", ErrMalformed)
	}
	for _, d := range b.Drafts {
		if d.Edit == nil {
			continue
		}
		if id := cmp.Or(d.Edit.UserID, d.UserID); id == "" || len(id) > maxID {
			return fmt.Errorf("%w: an edit needs a user ID of 1 to %d bytes", ErrMalformed, maxID)
		}
	}
	for _, r := range b.Rows {
		if r.Key == "" || len(r.Key) > maxID {
			return fmt.Errorf("%w: a row needs a key of 1 to %d bytes", ErrMalformed, maxID)
		}
	}
	return nil
}

// size estimates what the batch takes in the file.
func (b Batch) size() int {
	n := 256 + len(b.Cursor) + 256*len(b.GivenUp)
	for _, d := range b.Drafts {
		n += 256 + len(d.Detail)
		if d.Edit != nil {
			for _, c := range d.Edit.Given {
				n += c.Size()
			}
		}
	}
	for _, r := range b.Rows {
		n += 64 + len(r.Key) + len(r.Held) + len(r.Intent)
	}
	return n
}

func (t *txn) append(b Batch) ([]protocol.Entry, error) {
	made := make([]protocol.Entry, 0, len(b.Drafts))
	for _, d := range b.Drafts {
		d = d.clean()
		tell := protocol.Entry{Event: d.Event, Reader: b.Reader, ReaderID: b.ReaderID, UserID: d.UserID, Detail: d.Detail}
		if d.Edit == nil {
			e, err := t.entry(tell)
			if err != nil {
				return nil, err
			}
			made = append(made, e)
			continue
		}
		es, err := t.take(tell, *d.Edit)
		if err != nil {
			return nil, err
		}
		made = append(made, es...)
	}
	if err := t.putRows(b); err != nil {
		return nil, err
	}
	return made, t.putGivenUp(b)
}

// take takes an edit in: the entry that holds it, what is remembered so that it
// is laid over the center's record, and an entry for every part of it that does
// not stand.
func (t *txn) take(tell protocol.Entry, edit protocol.Edit) ([]protocol.Entry, error) {
	edit.UserID = cmp.Or(edit.UserID, tell.UserID)
	tell.UserID = edit.UserID
	p, err := t.person(edit.UserID, valuesOnly)
	if err != nil {
		return nil, err
	}
	edit.New = !p.exists()
	details, err := t.refuse(&edit, &p)
	if err != nil {
		return nil, err
	}
	switch {
	case edit.New && tell.Event == protocol.EventUpdatedReader:
		tell.Event = protocol.EventEnrolled
	case !edit.New && tell.Event == protocol.EventEnrolled:
		tell.Event = protocol.EventUpdatedReader
	}
	main := tell
	main.Edit = &edit
	e, err := t.entry(main)
	if err != nil {
		return nil, err
	}
	if err := t.overlay(e); err != nil {
		return nil, err
	}
	t.touch(p.userID())
	t.touch(p.change.IDs...)
	return t.remarks(e, &p, tell, details)
}

// refuse fills Refused: credentials that are revoked, or that somebody else
// holds here. It returns the reasons, in words.
func (t *txn) refuse(edit *protocol.Edit, p *person) ([]string, error) {
	edit.Refused = nil
	var details []string
	for _, c := range edit.Given {
		k := c.Key()
		reason := ""
		if t.m.isRevoked(k) {
			reason = "revoked"
		} else {
			who := p
			if edit.New {
				who = nil // nobody yet, so anybody else
			}
			holder, ok, err := t.holder(k, who)
			if err != nil {
				return nil, err
			}
			if ok {
				reason = "held by user " + holder.userID()
			}
		}
		if reason != "" && !slices.Contains(edit.Refused, k) {
			edit.Refused = append(edit.Refused, k)
			details = append(details, c.String()+": "+reason)
		}
	}
	return details, nil
}

// remarks appends an entry for every credential that was refused and every value
// that was not kept.
func (t *txn) remarks(main protocol.Entry, p *person, tell protocol.Entry, refused []string) ([]protocol.Entry, error) {
	made := []protocol.Entry{main}
	add := func(event protocol.Event, detail string) error {
		tell.Event, tell.Detail = event, detail
		e, err := t.entry(tell)
		made = append(made, e)
		return err
	}
	for _, detail := range refused {
		if err := add(protocol.EventCredentialRefused, detail); err != nil {
			return nil, err
		}
	}
	lost, err := t.notKept(&main, p)
	if err != nil {
		return nil, err
	}
	for _, n := range lost {
		if err := add(protocol.EventValueNotKept, heldBy(n)); err != nil {
			return nil, err
		}
	}
	return made, nil
}

func heldBy(n protocol.NotKept) string {
	if n.HeldBy == "" {
		return string(n.Field)
	}
	return fmt.Sprintf("%s: held by %s", n.Field, n.HeldBy)
}

// overlay remembers that an entry's edit is not in the center's record yet.
func (t *txn) overlay(e protocol.Entry) error {
	b := t.bucket(inLocal)
	if err := b.Put(overlayKey(e.UserID, e.Number), nil); err != nil {
		return err
	}
	p := pendingOf(e.Number, e.Stamp, e.Edit)
	for _, hash := range p.claims {
		if err := b.Put(claimKey(hash, e.Number), []byte(e.UserID)); err != nil {
			return err
		}
	}
	t.unsettled.add(e.UserID, p)
	return nil
}

// settle forgets the overlay of all edits up to a number: the records held
// contain them, as far as the center took them.
func (t *txn) settle(upTo uint64) error {
	keys, edits, err := t.settling(upTo)
	if err != nil {
		return err
	}
	b := t.bucket(inLocal)
	for i, k := range keys {
		if err := b.Delete(overlayKey(k.id, k.number)); err != nil {
			return err
		}
		for _, hash := range edits[i].claims {
			if err := b.Delete(claimKey(hash, k.number)); err != nil {
				return err
			}
		}
		t.touch(k.id)
	}
	t.mem.head.Settled = max(t.mem.head.Settled, upTo)
	return nil
}

// settling returns the edits that are pending up to a number.
func (t *txn) settling(upTo uint64) (keys []pendingKey, edits []pendingEdit, err error) {
	if t.unsettled.complete {
		keys, edits = t.unsettled.upTo(upTo)
		return keys, edits, nil
	}
	err = t.eachPending(func(id string, e pendingEdit) bool {
		if e.number <= upTo {
			keys, edits = append(keys, pendingKey{e.number, id}), append(edits, e)
		}
		return e.number < upTo
	})
	return keys, edits, err
}
