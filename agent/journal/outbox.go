package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Pending returns stored entries after a number, in order, within bounds but at
// least one if there is one. They are undecoded: what the center gets is what
// the hashes are over.
func (j *Journal) Pending(after uint64, maxEntries, maxBytes int) (out []RawEntry, err error) {
	err = j.read(func(r *reading) error {
		size := 0
		c := r.bucket(inEntries).Cursor()
		for k, v := c.Seek(numberKey(after + 1)); k != nil && len(out) < max(maxEntries, 1); k, v = c.Next() {
			if size += len(v); size > maxBytes && len(out) > 0 {
				break
			}
			out = append(out, RawEntry{Number: binary.BigEndian.Uint64(k), Data: bytes.Clone(v)})
		}
		return nil
	})
	return out, err
}

// HashAt returns the hash of the entry of a number, nil if it is not known.
func (j *Journal) HashAt(number uint64) (hash []byte, err error) {
	err = j.read(func(r *reading) error {
		hash = r.hashAt(number)
		return nil
	})
	return hash, err
}

func (r *reading) hashAt(number uint64) []byte {
	if number == r.m.head.Anchor {
		return r.m.head.AnchorHash
	}
	b := r.bucket(inEntries).Get(numberKey(number))
	if b == nil {
		return nil
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// Confirm takes in what the center has taken: up to there nothing must be sent
// again. A confirmation below an earlier one comes from a center that was
// restored; what is still kept is owed again. ErrDiverged says that the center
// knows another journal under this epoch: nothing was changed, start a new one.
//
// Verdicts become entries of this journal, each once. Without any, the file
// learns of the confirmation with the next commit: whoever forgets it in a crash
// is told again.
func (j *Journal) Confirm(ctx context.Context, c wire.Confirm) error {
	h := &j.mem.Load().head
	known := c.Taken == h.Confirmed && (len(c.Hash) == 0 || bytes.Equal(c.Hash, h.ConfirmedHash))
	if c.NewEpoch || c.Epoch != h.Epoch || known && len(c.Verdicts) == 0 {
		return nil
	}
	r := &request{size: 256 * len(c.Verdicts), later: len(c.Verdicts) == 0, do: func(t *txn) error { return t.confirm(&c) }}
	if err := j.submit(ctx, r); err != nil {
		return fmt.Errorf("confirm entries: %w", err)
	}
	return nil
}

func (t *txn) confirm(c *wire.Confirm) error {
	h := &t.mem.head
	if c.Epoch != h.Epoch {
		return nil
	}
	if c.Taken > h.Last {
		return fmt.Errorf("%w: it has %d and the last is %d", ErrDiverged, c.Taken, h.Last)
	}
	taken := max(c.Taken, h.Anchor)
	hash := t.hashAt(taken)
	if taken == c.Taken && len(c.Hash) > 0 && hash != nil && !bytes.Equal(hash, c.Hash) {
		return fmt.Errorf("%w: entry %d is another one there", ErrDiverged, taken)
	}
	h.Confirmed, h.ConfirmedHash = taken, hash
	for _, v := range c.Verdicts {
		if err := t.verdict(v); err != nil {
			return err
		}
	}
	return nil
}

// verdict makes an entry of what the center decided about an earlier one, once.
func (t *txn) verdict(v wire.Verdict) error {
	b := t.bucket(inLocal)
	key := append(localKey(localVerdict, v.Number), v.Event...)
	key = append(append(key, 0), v.Detail...)
	if len(key) > maxID || b.Get(key) != nil {
		return nil
	}
	if err := b.Put(key, nil); err != nil {
		return err
	}
	e := protocol.Entry{Event: v.Event, UserID: v.UserID, Detail: v.Detail}
	if v.Number > t.mem.head.Anchor && v.Number <= t.mem.head.Last {
		about, err := t.entryAt(v.Number)
		if err != nil {
			return err
		}
		e.Reader, e.ReaderID = about.Reader, about.ReaderID
		if e.UserID == "" {
			e.UserID = about.UserID
		}
	}
	_, err := t.entry(e)
	return err
}

// NewEpoch starts a new epoch at the number after the last confirmed one, and
// says why in the journal. Entries keep their numbers.
func (j *Journal) NewEpoch(ctx context.Context, why string) error {
	r := &request{size: 256, do: func(t *txn) error {
		t.mem.head.Epoch, t.mem.head.First = rand.Text(), t.mem.head.Confirmed+1
		_, err := t.entry(protocol.Entry{Event: protocol.EventNewEpoch, Detail: why})
		return err
	}}
	if err := j.submit(ctx, r); err != nil {
		return fmt.Errorf("start new epoch: %w", err)
	}
	return nil
}

// Digest returns the sums of the users in some buckets, by GUID. Those deleted at
// the center are left out, as they are from the digests.
func (j *Journal) Digest(ctx context.Context, buckets []uint8) (map[string][]byte, error) {
	defer j.release()
	var want [wire.Buckets]bool
	for _, b := range buckets {
		want[b] = true
	}
	out := map[string][]byte{}
	err := j.eachRecord(ctx, func(_ *reading, guid string, v []byte) error {
		h, err := j.decodeHeader(guid, v)
		if err == nil && want[wire.Bucket(guid)] && !h.tomb {
			out[guid] = h.sum[:]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("digest of users: %w", err)
	}
	return out, nil
}

// eachRecord calls fn with every stored user, a page at a time.
func (j *Journal) eachRecord(ctx context.Context, fn func(r *reading, guid string, v []byte) error) error {
	var after []byte
	for n, done := 1, false; !done; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n%releaseAfter == 0 {
			j.release()
		}
		err := j.read(func(r *reading) error {
			c := r.bucket(inRecords).Cursor()
			k, v := c.Seek(after)
			if after != nil && bytes.Equal(k, after) {
				k, v = c.Next()
			}
			for range rowsAtOnce {
				if done = k == nil; done {
					return nil
				}
				after = bytes.Clone(k)
				if err := fn(r, string(k), v); err != nil {
					return err
				}
				k, v = c.Next()
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
