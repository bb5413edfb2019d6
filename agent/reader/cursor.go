package reader

import (
	"context"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// cursor is how far a reader's log was read, and which reader it was.
type cursor struct {
	Serial string `cbor:"serial"`
	Log    []byte `cbor:"log,omitempty"`
}

func (l *line) recallCursor() error {
	b, err := l.o.Journal.Cursor(l.o.Name)
	if err != nil {
		return journalError(err)
	}
	l.cursor = cursor{}
	if len(b) == 0 {
		return nil
	}
	return journalError(l.o.Codec.Unmarshal(b, &l.cursor))
}

func (l *line) encodeCursor() ([]byte, error) {
	b, err := l.o.Codec.Marshal(l.cursor)
	return b, journalError(err)
}

// logRead is what a reader's log held, until all of it has had its effect.
type logRead struct {
	drafts []journal.Draft
	keys   []string
	table  bool
	cursor []byte
	moved  bool
}

// peekLog reads the log without moving the cursor.
func (l *line) peekLog(ctx context.Context) (logRead, error) {
	lg, ok := l.s.(driver.Logger)
	if !ok {
		return logRead{}, nil
	}
	read, err := lg.ReadLog(ctx, l.cursor.Log)
	if err != nil && l.cursor.Log != nil && l.logFails >= 2 {
		// Perhaps it is the cursor: of a log that was cleared, or of an earlier
		// version of the driver. What changed is found by comparing tables.
		read, err = lg.ReadLog(ctx, nil)
		read.Gap = "the place in the reader's log was lost"
	}
	if err != nil {
		l.logFails++
		return logRead{}, err
	}
	l.logFails = 0
	out := logRead{cursor: read.Cursor, moved: string(read.Cursor) != string(l.cursor.Log)}
	if read.Gap != "" {
		out.table = true
		out.drafts = append(out.drafts, journal.Draft{Event: protocol.EventLogGap, Detail: read.Gap})
	}
	for _, n := range read.Notices {
		switch {
		case n.Kind == driver.NoticeUnknown:
			out.drafts = append(out.drafts, card(n))
		case n.Kind == driver.NoticeEntered:
		case n.Key == "":
			out.table = true
		default:
			out.keys = append(out.keys, n.Key)
		}
	}
	return out, nil
}

// card is the entry about a card that nobody knows.
func card(n driver.Notice) journal.Draft {
	d := journal.Draft{Event: protocol.EventUnknownCard, Detail: n.Detail}
	if !n.At.IsZero() {
		d.Detail += " at " + n.At.Format(time.DateTime) + " by the reader's clock"
	}
	return d
}

func cardDrafts(cards []driver.Notice) []journal.Draft {
	var out []journal.Draft
	for _, n := range cards {
		out = append(out, card(n))
	}
	return out
}

// keep moves the cursor, now that whatever stood before it is in the journal.
func (l *line) keep(ctx context.Context, read logRead) error {
	if !read.moved && len(read.drafts) == 0 && l.cursor.Serial == l.info.Serial {
		return nil
	}
	before := l.cursor
	l.cursor.Serial = l.info.Serial
	if read.moved {
		l.cursor.Log = read.cursor
	}
	b, err := l.encodeCursor()
	if err == nil {
		_, err = l.o.Journal.Append(ctx, journal.Batch{
			Reader: l.o.Name, ReaderID: l.info.Serial, Drafts: read.drafts, Cursor: b,
		})
		err = journalError(err)
	}
	if err != nil {
		l.cursor = before
	}
	return err
}

// readLog reads on in the log and looks after what it tells of. seen tells that
// what it tells of was probably seen by now: then the whole table can wait.
func (l *line) readLog(ctx context.Context, seen bool) (cause, error) {
	read, err := l.peekLog(ctx)
	if err != nil {
		return "", err
	}
	if read.table || (len(read.keys) > 0 && l.get == nil) {
		if !seen {
			return causeSign, nil // the log is read again before the table
		}
		l.tableWithin(tableAfter)
		return "", nil // and the cursor with it
	}
	if len(read.keys) > 0 {
		if err := l.some(ctx, items(read.keys)); err != nil {
			return "", err
		}
	}
	return "", l.keep(ctx, read)
}

// tableAfter is how long the whole table can wait when a reader's log seems to
// tell of no more than the reader itself just did.
const tableAfter = 5 * time.Second

// tableWithin has the whole table read before long.
func (l *line) tableWithin(d time.Duration) {
	if at := time.Now().Add(d); l.tableAt.IsZero() || at.Before(l.tableAt) {
		l.tableAt = at
	}
}

// signs looks after what the reader told of.
func (l *line) signs(ctx context.Context) (cause, error) {
	in := l.inbox.take()
	_, logs := l.s.(driver.Logger)
	if len(in.cards) > 0 && !logs {
		if err := l.keep(ctx, logRead{drafts: cardDrafts(in.cards)}); err != nil {
			return "", err
		}
	}
	if in.table || (len(in.rows) > 0 && l.get == nil) {
		return causeSign, nil
	}
	if len(in.rows) > 0 {
		if err := l.some(ctx, in.rows); err != nil {
			return "", err
		}
	}
	if !in.told || !logs {
		return "", nil
	}
	return l.readLog(ctx, len(in.rows) > 0)
}
