package journal

import (
	"bytes"
	"cmp"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
)

// rowsAtOnce is how many rows, entries or users are read in one transaction:
// the file cannot grow while one is open, and a caller may take its time.
const rowsAtOnce = 256

// releaseAfter is after how many pages of users the memory through which they
// were read is given back: some ten megabytes.
const releaseAfter = 32

// storedRow is a Row without its key.
type storedRow struct {
	_      struct{} `cbor:",toarray"`
	Held   []byte
	Intent []byte
	Absent bool
}

func (t *txn) putRows(b Batch) error {
	if b.Cursor != nil {
		if err := t.putCursor(b.Reader, b.Cursor); err != nil {
			return err
		}
	}
	name := []byte(b.Reader)
	all := t.bucket(inRows)
	if b.ForgetRows && all.Bucket(name) != nil {
		if err := all.DeleteBucket(name); err != nil {
			return err
		}
	}
	if len(b.Rows) == 0 {
		return nil
	}
	rows, err := all.CreateBucketIfNotExists(name)
	if err != nil {
		return err
	}
	for _, r := range b.Rows {
		if err := t.putRow(rows, r); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) putRow(rows *bbolt.Bucket, r Row) error {
	if r.Held == nil && r.Intent == nil && !r.Absent {
		return rows.Delete([]byte(r.Key))
	}
	v, err := t.j.codec.Marshal(storedRow{Held: r.Held, Intent: r.Intent, Absent: r.Absent})
	if err != nil {
		return fmt.Errorf("encode row: %w", err)
	}
	return rows.Put([]byte(r.Key), v)
}

func cursorKey(reader string) []byte { return append([]byte{localCursor}, reader...) }

func (t *txn) putCursor(reader string, cursor []byte) error {
	if len(cursor) == 0 {
		return t.bucket(inLocal).Delete(cursorKey(reader))
	}
	return t.bucket(inLocal).Put(cursorKey(reader), bytes.Clone(cursor))
}

// Cursor returns the cursor into a reader's log, nil if none.
func (j *Journal) Cursor(reader string) (cursor []byte, err error) {
	err = j.read(func(r *reading) error {
		cursor = bytes.Clone(r.bucket(inLocal).Get(cursorKey(reader)))
		return nil
	})
	return cursor, err
}

// Row returns what is remembered of one row.
func (j *Journal) Row(reader, key string) (row Row, ok bool, err error) {
	err = j.read(func(r *reading) error {
		rows := r.bucket(inRows).Bucket([]byte(reader))
		if rows == nil {
			return nil
		}
		v := rows.Get([]byte(key))
		if ok = v != nil; !ok {
			return nil
		}
		row, err = j.decodeRow(reader, []byte(key), v)
		return err
	})
	return row, ok, err
}

func (j *Journal) decodeRow(reader string, k, v []byte) (Row, error) {
	var s storedRow
	if err := j.codec.Unmarshal(v, &s); err != nil {
		return Row{}, j.damaged(fmt.Errorf("row %q of reader %q: %w", k, reader, err))
	}
	return Row{Key: string(k), Held: s.Held, Intent: s.Intent, Absent: s.Absent}, nil
}

// Rows yields what is remembered of a reader's rows, in key order. The journal
// may be used meanwhile; a row changed meanwhile may come as it was or as it is.
func (j *Journal) Rows(reader string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		var after []byte
		for {
			page, err := j.rowsAfter(reader, after)
			if err != nil {
				yield(Row{}, err)
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if len(page) < rowsAtOnce {
				return
			}
			after = []byte(page[len(page)-1].Key)
		}
	}
}

func (j *Journal) rowsAfter(reader string, after []byte) (page []Row, err error) {
	err = j.read(func(r *reading) error {
		rows := r.bucket(inRows).Bucket([]byte(reader))
		if rows == nil {
			return nil
		}
		c := rows.Cursor()
		k, v := c.Seek(after)
		if after != nil && bytes.Equal(k, after) {
			k, v = c.Next()
		}
		for ; k != nil && len(page) < rowsAtOnce; k, v = c.Next() {
			row, err := j.decodeRow(reader, k, v)
			if err != nil {
				return err
			}
			page = append(page, row)
		}
		return nil
	})
	return page, err
}

func givenUpKey(k GivenUpKey) []byte {
	return append(append([]byte(k.Reader), 0), k.Key...)
}

func (t *txn) putGivenUp(b Batch) error {
	bucket := t.bucket(inGivenUp)
	for _, k := range b.Forget {
		k.Reader = cmp.Or(k.Reader, b.Reader)
		if err := bucket.Delete(givenUpKey(k)); err != nil {
			return err
		}
	}
	for _, g := range b.GivenUp {
		g.Reader = cmp.Or(g.Reader, b.Reader)
		if g.At.IsZero() {
			g.At = t.j.opts.Now()
		}
		v, err := t.j.codec.Marshal(storedGivenUp{
			Reader: g.Reader, Key: g.Key, UserID: g.UserID, Reason: g.Reason,
			Tries: g.Tries, At: g.At.UnixMilli(), Want: g.Want,
		})
		if err != nil {
			return fmt.Errorf("encode given up: %w", err)
		}
		if err := bucket.Put(givenUpKey(g.GivenUpKey), v); err != nil {
			return err
		}
	}
	return nil
}
