package plan

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"doorsync/cloud/roster"
)

func words(id [16]byte) (hi, lo uint64) {
	return binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
}

func identity(hi, lo uint64) (id roster.Identity) {
	binary.BigEndian.PutUint64(id[:8], hi)
	binary.BigEndian.PutUint64(id[8:], lo)
	return id
}

// person is a GUID as records hold it.
type person struct{ hi, lo uint64 }

func personOf(guid string) (person, error) {
	id, err := uuid.Parse(guid)
	if err != nil {
		return person{}, fmt.Errorf("user %q: %w", guid, err)
	}
	hi, lo := words(id)
	return person{hi, lo}, nil
}

// GUID is empty for nobody.
func (p person) GUID() string {
	if p == (person{}) {
		return ""
	}
	return uuid.UUID(identity(p.hi, p.lo)).String()
}

// marks is a set of people that sometimes has more than were put in, in fixed
// memory: 2 MiB.
type marks struct{ bits []uint64 }

const markBits = 24

func newMarks() *marks { return &marks{make([]uint64, 1<<(markBits-6))} }

func (m *marks) place(p person) (word int, bit uint64) {
	// GUIDs begin with the time they were made at, so their end tells more.
	h := (p.lo ^ p.hi>>7) * 0x9e3779b97f4a7c15 >> (64 - markBits)
	return int(h >> 6), 1 << (h & 63)
}

// put adds a person and reports whether they seemed to be in the set before.
func (m *marks) put(p person) bool {
	word, bit := m.place(p)
	was := m.bits[word]&bit != 0
	m.bits[word] |= bit
	return was
}

func (m *marks) has(p person) bool {
	word, bit := m.place(p)
	return m.bits[word]&bit != 0
}

// second stands for a value like its hash does, by other bits: two values that
// share both are one.
func second(k roster.Key, value string) uint64 {
	hi, _ := words(roster.IdentityOf("second\x00" + string(k) + "\x00" + roster.Fold(value)))
	return hi
}
