package reader

import (
	"errors"
	"fmt"
	"iter"

	"doorsync/agent/journal"
)

// Memory is where a journal keeps what is remembered of readers.
type Memory interface {
	Rows(reader string) iter.Seq2[journal.Row, error]
	Row(reader, key string) (journal.Row, bool, error)
	Cursor(reader string) ([]byte, error)
	GivenUp(reader string) ([]journal.GivenUp, error)
}

// leftKey is the key under which it is remembered what a reader cannot hold of
// a user. No reader has a row of this key.
func leftKey(user string) string { return leftPrefix + user }

const leftPrefix = "\x00left\x00"

// errJournal marks a failure of the site's own disk: no fault of the reader.
var errJournal = errors.New("journal")

func journalError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errJournal, err)
}

// recall returns what is remembered of a row, nil for nothing.
func (r *Reader) recall(key string) (*memory, error) {
	row, ok, err := r.o.Journal.Row(r.o.Name, key)
	if err != nil {
		return nil, journalError(err)
	}
	if !ok {
		return nil, nil
	}
	return r.decode(row)
}

func (r *Reader) decode(row journal.Row) (*memory, error) {
	var m memory
	if err := r.o.Codec.Unmarshal(row.Held, &m); err != nil {
		return nil, journalError(fmt.Errorf("what is remembered of row %q of reader %s: %w", row.Key, r.o.Name, err))
	}
	return &m, nil
}

// remember is the row to store, a removed one for a memory with nothing in it.
func (r *Reader) remember(key string, m *memory) (journal.Row, error) {
	if m.empty() {
		return journal.Row{Key: key}, nil
	}
	b, err := r.o.Codec.Marshal(m)
	if err != nil {
		return journal.Row{}, journalError(err)
	}
	return journal.Row{Key: key, Held: b}, nil
}

func (m *memory) empty() bool {
	return m == nil || (m.Held == nil && m.Intent == nil && len(m.GaveUp) == 0 && m.LeftOut == "" && !m.Deleting)
}

// recallAll returns everything remembered of the reader's rows, what was left
// out of users apart.
func (r *Reader) recallAll() (rows, left map[string]*memory, err error) {
	rows, left = map[string]*memory{}, map[string]*memory{}
	for row, err := range r.o.Journal.Rows(r.o.Name) {
		if err != nil {
			return nil, nil, journalError(err)
		}
		m, err := r.decode(row)
		if err != nil {
			return nil, nil, err
		}
		if len(row.Key) > len(leftPrefix) && row.Key[:len(leftPrefix)] == leftPrefix {
			left[row.Key] = m
		} else {
			rows[row.Key] = m
		}
	}
	return rows, left, nil
}
