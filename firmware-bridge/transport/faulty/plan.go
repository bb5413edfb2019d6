// Package faulty is a bad line for examinations: a TCP or UDP proxy on the
// loopback that delays, splits, drops, repeats, corrupts and cuts what passes,
// by a plan whose chances come from a seed.
package faulty

import (
	"math/rand/v2"
	"time"
)

// Plan says what the line does to what passes. Chances are from 0 to 1, for
// each datagram or, on TCP, for each piece that was read at once. The zero
// Plan is a good line.
type Plan struct {
	Name      string        // for the name of a test
	Seed      uint64        // the same seed, the same chances
	Delay     time.Duration // each piece waits up to this long; datagrams may overtake one another
	Split     bool          // pieces arrive in bits; a datagram in two halves
	Drop      float64       // a piece is lost, on TCP a hole in the stream
	Duplicate float64       // a datagram comes twice (UDP only)
	Corrupt   float64       // one bit of the piece is flipped
	CutAfter  int           // after so many bytes of a connection (UDP: of all) the line is dead, 0: never
}

// line is the state of one direction of one connection.
type line struct {
	plan Plan
	rng  *rand.Rand
}

func (p Plan) line(n uint64) *line {
	return &line{plan: p, rng: rand.New(rand.NewPCG(p.Seed, n))}
}

func (l *line) chance(p float64) bool { return p > 0 && l.rng.Float64() < p }

func (l *line) delay() time.Duration {
	if l.plan.Delay <= 0 {
		return 0
	}
	return time.Duration(l.rng.Int64N(int64(l.plan.Delay)))
}

// damage flips a bit, perhaps. It changes b.
func (l *line) damage(b []byte) {
	if len(b) > 0 && l.chance(l.plan.Corrupt) {
		b[l.rng.IntN(len(b))] ^= 1 << l.rng.IntN(8)
	}
}

// bits cuts b into pieces as the plan says.
func (l *line) bits(b []byte) [][]byte {
	if !l.plan.Split || len(b) < 2 {
		return [][]byte{b}
	}
	var out [][]byte
	for len(b) > 0 {
		n := 1 + l.rng.IntN(min(len(b), 1+len(b)/3))
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}
