package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// schema is the version of the file's layout. A file of another one is refused:
// version 1 was in use only before the first release.
const schema = 2

// head is what changes with nearly every commit. It is one value of the file.
type head struct {
	Epoch         string         `cbor:"epoch"`
	First         uint64         `cbor:"first"`
	Last          uint64         `cbor:"last"`
	LastHash      []byte         `cbor:"hash,omitempty"`
	Anchor        uint64         `cbor:"anchor"` // the last entry trimmed, 0 if none was
	AnchorHash    []byte         `cbor:"anchor_hash,omitempty"`
	Confirmed     uint64         `cbor:"confirmed"`
	ConfirmedHash []byte         `cbor:"confirmed_hash,omitempty"`
	Settled       uint64         `cbor:"settled,omitempty"` // up to here no edit is pending
	Clock         protocol.Stamp `cbor:"clock"`
	Revision      uint64         `cbor:"revision"`
	Roster        string         `cbor:"roster,omitempty"`
	// A snapshot under way: all users up to SnapAt are held as of it.
	Snapshot bool   `cbor:"snapshot,omitempty"`
	SnapAt   string `cbor:"snap_at,omitempty"`
	Cursor   []byte `cbor:"cursor,omitempty"`
}

// memory is what is known without reading the file. It is never changed once
// others can see it.
type memory struct {
	head     head
	settings wire.Settings
	revoked  map[wire.Sum]struct{}
	sums     *sums
}

// sums are the digests of all buckets, and over them all, computed when asked for.
type sums struct {
	buckets [wire.Buckets]wire.Sum
	once    sync.Once
	root    wire.Sum
}

func (s *sums) digest() wire.Sum {
	s.once.Do(func() { s.root = wire.Root(&s.buckets) })
	return s.root
}

// load reads memory from the file.
func (j *Journal) load() error {
	return j.db.View(func(tx *bbolt.Tx) error {
		m, err := j.readMemory(tx)
		if err == nil {
			j.mem.Store(&m)
		}
		return err
	})
}

// layOut makes an empty database a new journal.
func (j *Journal) layOut(tx *bbolt.Tx) error {
	for _, name := range bucketNames {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	s := space{tx: tx}
	if err := s.bucket(inMeta).Put(keySchema, binary.BigEndian.AppendUint64(nil, schema)); err != nil {
		return err
	}
	b, err := j.codec.Marshal(head{Epoch: rand.Text(), First: 1})
	if err != nil {
		return err
	}
	return s.bucket(inLocal).Put(keyHead, b)
}

func (j *Journal) readMemory(tx *bbolt.Tx) (memory, error) {
	for _, name := range bucketNames {
		if tx.Bucket([]byte(name)) == nil {
			return memory{}, j.damaged(fmt.Errorf("its part %q is missing", name))
		}
	}
	s := space{tx: tx}
	version := s.bucket(inMeta).Get(keySchema)
	if len(version) != 8 {
		return memory{}, j.damaged(errors.New("its version is missing"))
	}
	switch v := binary.BigEndian.Uint64(version); {
	case v > schema:
		return memory{}, fmt.Errorf("%s: version %d: %w", j.path, v, ErrNewer)
	case v < schema:
		return memory{}, fmt.Errorf("%s: version %d: %w", j.path, v, ErrOlder)
	}
	return j.readParts(&s)
}

func (j *Journal) readParts(s *space) (memory, error) {
	var m memory
	if err := j.codec.Unmarshal(s.bucket(inLocal).Get(keyHead), &m.head); err != nil {
		return m, j.damaged(fmt.Errorf("its head: %w", err))
	}
	last := m.head.Anchor
	if k, _ := s.bucket(inEntries).Cursor().Last(); len(k) == 8 {
		last = binary.BigEndian.Uint64(k)
	}
	if last != m.head.Last {
		return m, j.damaged(fmt.Errorf("its last entry is %d and should be %d", last, m.head.Last))
	}
	m.sums = &sums{}
	if b := s.bucket(inLocal).Get(keySums); len(b) == wire.Buckets*wire.SumSize {
		for i := range m.sums.buckets {
			m.sums.buckets[i] = wire.Sum(b[i*wire.SumSize:])
		}
	}
	var settings wire.Settings
	if b := s.bucket(inMeta).Get(keySettings); b != nil {
		if err := j.codec.Unmarshal(b, &settings); err != nil {
			return m, j.damaged(fmt.Errorf("its settings: %w", err))
		}
	}
	m.setSettings(settings)
	return m, nil
}

// setSettings takes over what the center decided; what it never said is default.
func (m *memory) setSettings(s wire.Settings) {
	if s.Mode == "" {
		s.Mode = wire.ModeAllReaders
	}
	if len(s.Rules.Order) == 0 {
		s.Rules = protocol.DefaultRules()
	}
	m.settings = s
	m.revoked = make(map[wire.Sum]struct{}, len(s.Revoked))
	for _, h := range s.Revoked {
		if len(h) == wire.SumSize {
			m.revoked[wire.Sum(h)] = struct{}{}
		}
	}
}

func (m *memory) isRevoked(k protocol.CredentialKey) bool {
	if len(m.revoked) == 0 {
		return false
	}
	_, ok := m.revoked[wire.Sum(wire.RevokedHash(m.settings.Salt, k))]
	return ok
}

// State returns where the journal stands.
func (j *Journal) State() State {
	m := j.mem.Load()
	h := m.head
	s := State{
		Epoch: h.Epoch, First: h.First, Last: h.Last, LastHash: slices.Clone(h.LastHash), Oldest: h.Anchor + 1,
		Confirmed: h.Confirmed, Hash: slices.Clone(h.ConfirmedHash), Revision: h.Revision, Roster: h.Roster,
		Digest: m.sums.digest(), Stamp: h.Clock,
	}
	if h.Snapshot {
		s.Cursor = slices.Clone(h.Cursor)
	}
	return s
}

// Settings returns what the center decided for the site, defaults if it never
// said. Nobody may change what it refers to.
func (j *Journal) Settings() wire.Settings { return j.mem.Load().settings }

// Revoked reports whether the office has revoked the credential.
func (j *Journal) Revoked(k protocol.CredentialKey) bool { return j.mem.Load().isRevoked(k) }

// Buckets returns the digests of all buckets of users held.
func (j *Journal) Buckets() [wire.Buckets]wire.Sum { return j.mem.Load().sums.buckets }
