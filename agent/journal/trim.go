package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"
)

// When the writer trims by itself.
const (
	trimFirst = time.Minute
	trimEvery = time.Hour
	trimBatch = 1000 // entries in one commit
)

// trimNowAndThen removes old entries while the writer runs.
func (j *Journal) trimNowAndThen(ctx context.Context) {
	timer := time.NewTimer(trimFirst)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.closing:
			return
		case <-timer.C:
		}
		if err := j.Trim(ctx); err != nil && ctx.Err() == nil {
			j.log.Warn("old entries not removed from the journal", "error", err)
		}
		timer.Reset(trimEvery)
	}
}

// Trim removes entries older than Options.Retain, as far as the center has taken
// them and no user's state at this site still rests on them. The hash of the last
// one removed is kept, so that the chain still begins somewhere. Run does it by
// itself.
func (j *Journal) Trim(ctx context.Context) error {
	for more := true; more; {
		if old, err := j.oldestEntryOld(); err != nil || !old {
			return err
		}
		err := j.submit(ctx, &request{size: 256, do: func(t *txn) (err error) {
			more, err = t.trim()
			return err
		}})
		if err != nil {
			return fmt.Errorf("trim journal: %w", err)
		}
	}
	return nil
}

// oldestEntryOld saves a commit when there is nothing to remove.
func (j *Journal) oldestEntryOld() (old bool, err error) {
	err = j.read(func(r *reading) error {
		if k, v := r.bucket(inEntries).Cursor().First(); k != nil {
			old, err = r.removable(k, v, r.trimLimit())
		}
		return err
	})
	return old, err
}

// trimLimit is the last number that may go.
func (r *reading) trimLimit() uint64 {
	limit := min(r.m.head.Confirmed, r.m.head.Last)
	c := r.bucket(inLocal).Cursor()
	for k, _ := c.Seek([]byte{localOverlay}); len(k) > 0 && k[0] == localOverlay; k, _ = c.Next() {
		limit = min(limit, lastNumber(k)-1)
	}
	return limit
}

func (r *reading) removable(k, v []byte, limit uint64) (bool, error) {
	number := binary.BigEndian.Uint64(k)
	if number > limit {
		return false, nil
	}
	e, err := r.entryAt(number)
	return err == nil && e.Time().Before(r.j.opts.Now().Add(-r.j.opts.Retain)), err
}

// trim removes one batch and tells whether there may be more.
func (t *txn) trim() (more bool, err error) {
	limit := t.trimLimit()
	var keys [][]byte
	c := t.bucket(inEntries).Cursor()
	for k, v := c.First(); k != nil && len(keys) < trimBatch; k, v = c.Next() {
		ok, err := t.removable(k, v, limit)
		if err != nil {
			return false, err
		}
		if !ok {
			break
		}
		keys = append(keys, bytes.Clone(k))
	}
	if len(keys) == 0 {
		return false, nil
	}
	anchor := binary.BigEndian.Uint64(keys[len(keys)-1])
	t.mem.head.AnchorHash = t.hashAt(anchor)
	t.mem.head.Anchor = anchor
	for _, k := range keys {
		if err := t.bucket(inEntries).Delete(k); err != nil {
			return false, err
		}
	}
	return len(keys) == trimBatch, t.forgetVerdicts(anchor)
}

// forgetVerdicts drops what keeps verdicts about removed entries from being
// stored twice.
func (t *txn) forgetVerdicts(upTo uint64) error {
	b := t.bucket(inLocal)
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek([]byte{localVerdict}); len(k) >= 9 && k[0] == localVerdict; k, _ = c.Next() {
		if binary.BigEndian.Uint64(k[1:]) > upTo {
			break
		}
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}
