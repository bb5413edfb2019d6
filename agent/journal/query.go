package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"doorsync/protocol"
)

// Where an event comes from, as people ask for it.
const (
	OriginReader  = "reader"  // done at a reader, or found there
	OriginCentral = "central" // decided at the center, or written to a reader from there
	OriginAgent   = "agent"   // of the agent itself
)

// Origin tells where an event comes from.
func Origin(e protocol.Event) string {
	switch e {
	case protocol.EventEnrolled, protocol.EventUpdatedReader, protocol.EventDeletedReader, protocol.EventNotTaken,
		protocol.EventUnknownCard, protocol.EventReaderDiffers, protocol.EventReaderSwapped, protocol.EventLogGap:
		return OriginReader
	case protocol.EventUpdatedCentral, protocol.EventRemovedCentral, protocol.EventSaveFailed, protocol.EventTooLate,
		protocol.EventConflict, protocol.EventStampMoved, protocol.EventOfficeChanged, protocol.EventOfficeDeleted,
		protocol.EventModeChanged:
		return OriginCentral
	default:
		return OriginAgent
	}
}

// Query selects entries. The zero Query selects all, oldest first.
type Query struct {
	Since, Until time.Time // [Since, Until); zero: open
	User         string
	Reader       string
	Events       []protocol.Event
	Origin       string // OriginReader, OriginCentral or OriginAgent
	From         uint64 // first number when oldest first, last when newest first; 0: from the end
	Newest       bool   // newest first
	Limit        int    // 0: all
}

func (q *Query) matches(e *protocol.Entry) bool {
	return (q.User == "" || e.UserID == q.User) &&
		(q.Reader == "" || e.Reader == q.Reader) &&
		(len(q.Events) == 0 || slices.Contains(q.Events, e.Event)) &&
		(q.Origin == "" || Origin(e.Event) == q.Origin) &&
		(q.Since.IsZero() || !e.Time().Before(q.Since)) &&
		(q.Until.IsZero() || e.Time().Before(q.Until))
}

// mayMatch looks at an entry's bytes: what it does not contain it is not about.
func (q *Query) mayMatch(v []byte) bool {
	return bytes.Contains(v, []byte(q.User)) && bytes.Contains(v, []byte(q.Reader))
}

// Entries yields the entries that a query selects. The journal may be used
// meanwhile; entries added meanwhile come too when the oldest come first.
func (j *Journal) Entries(q Query) iter.Seq2[protocol.Entry, error] {
	return func(yield func(protocol.Entry, error) bool) {
		defer j.release()
		w := entryWalk{j: j, q: &q}
		if err := w.start(); err != nil {
			yield(protocol.Entry{}, err)
			return
		}
		for n, given := 1, 0; w.low <= w.high; n++ {
			if n%releaseAfter == 0 {
				j.release()
			}
			page, err := w.page()
			if err != nil {
				yield(protocol.Entry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				if given++; given == q.Limit {
					return
				}
			}
		}
	}
}

// entryWalk reads entries a page at a time.
type entryWalk struct {
	j         *Journal
	q         *Query
	low, high uint64 // numbers still to read
}

// start narrows the query to a range of numbers.
func (w *entryWalk) start() error {
	h := &w.j.mem.Load().head
	w.low, w.high = h.Anchor+1, h.Last
	if w.q.Newest {
		if w.q.From > 0 {
			w.high = min(w.high, w.q.From)
		}
	} else {
		w.low, w.high = max(w.low, w.q.From), math.MaxUint64
	}
	if !w.q.Since.IsZero() {
		n, err := w.firstAt(w.q.Since)
		if err != nil {
			return err
		}
		w.low = max(w.low, n)
	}
	if !w.q.Until.IsZero() {
		n, err := w.firstAt(w.q.Until)
		if err != nil {
			return err
		}
		w.high = min(w.high, n-1)
	}
	return nil
}

// firstAt returns the number of the first entry at or after a time. Stamps never
// go back.
func (w *entryWalk) firstAt(at time.Time) (uint64, error) {
	h := &w.j.mem.Load().head
	low, high := h.Anchor+1, h.Last+1
	err := w.j.read(func(r *reading) error {
		for low < high {
			mid := low + (high-low)/2
			e, err := r.entryAt(mid)
			if err != nil {
				return err
			}
			if e.Time().Before(at) {
				low = mid + 1
			} else {
				high = mid
			}
		}
		return nil
	})
	return low, err
}

func (w *entryWalk) page() (out []protocol.Entry, err error) {
	err = w.j.read(func(r *reading) error {
		c := r.bucket(inEntries).Cursor()
		step, at := c.Next, w.low
		if w.q.Newest {
			step, at = c.Prev, w.high
		}
		k, v := c.Seek(numberKey(at))
		for range rowsAtOnce {
			number, ok := w.within(k)
			if !ok {
				w.low, w.high = 1, 0
				return nil
			}
			if w.q.Newest {
				w.high = number - 1
			} else {
				w.low = number + 1
			}
			if w.q.mayMatch(v) {
				var e protocol.Entry
				if err := w.j.codec.Unmarshal(v, &e); err != nil {
					return w.j.damaged(fmt.Errorf("entry %d: %w", number, err))
				}
				if w.q.matches(&e) {
					out = append(out, e)
				}
			}
			k, v = step()
		}
		return nil
	})
	return out, err
}

// within reads the number in a key, if it is still to be read.
func (w *entryWalk) within(k []byte) (number uint64, ok bool) {
	if len(k) != 8 {
		return 0, false
	}
	number = binary.BigEndian.Uint64(k)
	return number, number >= w.low && number <= w.high
}
