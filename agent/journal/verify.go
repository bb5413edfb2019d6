package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"doorsync/protocol/wire"
)

// maxFaults bounds how many faults are listed.
const maxFaults = 100

// VerifyReport is what Verify found. No faults: every entry is as it was
// written and none is missing, and the users are as the center sent them.
type VerifyReport struct {
	Entries uint64   `json:"entries"`
	Users   uint64   `json:"users"`
	First   uint64   `json:"first"` // number of the oldest entry kept
	Last    uint64   `json:"last"`
	Faults  []string `json:"faults"`
}

func (r *VerifyReport) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify reads everything and proves that no entry was changed, removed or moved
// and that the users held are as the center sent them. progress, if not nil, is
// called now and then.
func (j *Journal) Verify(ctx context.Context, progress func(done, total uint64)) (VerifyReport, error) {
	defer j.release()
	h := j.mem.Load().head
	r := VerifyReport{First: h.Anchor + 1, Last: h.Last, Faults: []string{}}
	if err := j.verifyEntries(ctx, h, &r, progress); err != nil {
		return r, fmt.Errorf("verify journal: %w", err)
	}
	if err := j.verifyUsers(ctx, &r); err != nil {
		return r, fmt.Errorf("verify journal: %w", err)
	}
	return r, nil
}

// verifyEntries follows the chain from the anchor to the head: each entry has
// the hash of the one before it.
func (j *Journal) verifyEntries(ctx context.Context, h head, r *VerifyReport, progress func(done, total uint64)) error {
	before := h.AnchorHash
	next := h.Anchor + 1
	for next <= h.Last {
		if err := ctx.Err(); err != nil {
			return err
		}
		if progress != nil {
			progress(next-h.Anchor-1, h.Last-h.Anchor)
		}
		err := j.read(func(rd *reading) error {
			anchor, err := rd.storedHead()
			if err != nil {
				return err
			}
			if anchor.Anchor >= next { // old entries were removed meanwhile, in order
				before, next, r.First = anchor.AnchorHash, anchor.Anchor+1, anchor.Anchor+1
			}
			c := rd.bucket(inEntries).Cursor()
			k, v := c.Seek(numberKey(next))
			for range rowsAtOnce {
				if k == nil || next > h.Last {
					break
				}
				before, next = j.verifyEntry(k, v, before, next, r)
				k, v = c.Next()
			}
			if k == nil && next <= h.Last {
				r.fault("entries %d to %d are missing", next, h.Last)
				next = h.Last + 1
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if next == h.Last+1 && !bytes.Equal(before, h.LastHash) {
		r.fault("entry %d was changed", h.Last)
	}
	return nil
}

// storedHead is the head as the file has it; memory follows a moment later.
func (r *reading) storedHead() (h head, err error) {
	if err := r.j.codec.Unmarshal(r.bucket(inLocal).Get(keyHead), &h); err != nil {
		return h, r.j.damaged(fmt.Errorf("its head: %w", err))
	}
	return h, nil
}

func (j *Journal) verifyEntry(k, v, before []byte, want uint64, r *VerifyReport) (hash []byte, next uint64) {
	number := binary.BigEndian.Uint64(k)
	if number != want {
		r.fault("entries %d to %d are missing", want, number-1)
	}
	var e struct {
		Number uint64 `cbor:"n"`
		Prev   []byte `cbor:"p"`
	}
	if err := j.codec.Unmarshal(v, &e); err != nil {
		r.fault("entry %d cannot be read", number)
	} else {
		if e.Number != number {
			r.fault("entry %d stands in the place of entry %d", e.Number, number)
		}
		if !bytes.Equal(e.Prev, before) {
			r.fault("entry %d was changed, removed or moved: entry %d goes on from another one", number-1, number)
		}
	}
	r.Entries++
	sum := sha256.Sum256(v)
	return sum[:], number + 1
}

func (j *Journal) verifyUsers(ctx context.Context, r *VerifyReport) error {
	want, err := j.storedSums()
	if err != nil {
		return err
	}
	var got [wire.Buckets]wire.Sum
	err = j.eachRecord(ctx, func(rd *reading, guid string, v []byte) error {
		r.Users++
		s, err := j.decodeStored(guid, v)
		if err != nil {
			r.fault("user %s cannot be read", guid)
			return nil
		}
		if s.change.Sum() != s.sum {
			r.fault("user %s is not as the center sent it", guid)
		}
		got[wire.Bucket(guid)].Toggle(s.digest())
		return rd.verifyIndex(&s, r)
	})
	if err != nil {
		return err
	}
	// Users that changed meanwhile prove nothing.
	if now, err := j.storedSums(); err != nil || now != want || got == want {
		return err
	}
	r.fault("the users held are not those that the digest is of")
	return nil
}

// verifyIndex looks whether a user is found under all IDs and credentials: an
// edit of somebody who is not would be taken for an enrollment.
func (r *reading) verifyIndex(s *stored, report *VerifyReport) error {
	hashes := slices.Clone(s.change.Keys)
	for _, id := range s.change.IDs {
		hashes = append(hashes, idHash(id))
	}
	for _, hash := range hashes {
		guids, err := r.lookup(hash)
		if err != nil {
			return err
		}
		if !slices.Contains(guids, s.change.GUID) {
			report.fault("user %s is not found under every ID and credential", s.change.GUID)
			return nil
		}
	}
	return nil
}

// storedSums are the digests as the file has them. Memory follows it a moment
// later, and a commit in between would look like a fault.
func (j *Journal) storedSums() (out [wire.Buckets]wire.Sum, err error) {
	err = j.read(func(rd *reading) error {
		b := rd.bucket(inLocal).Get(keySums)
		for i := 0; i < wire.Buckets && len(b) == wire.Buckets*wire.SumSize; i++ {
			out[i] = wire.Sum(b[i*wire.SumSize:])
		}
		return nil
	})
	return out, err
}
