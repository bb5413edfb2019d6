package simulate

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// dice is the chance of one actor. Each actor has its own, made of the seed and
// its name, so that taking something away from one does not shift what happens
// to the others.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func newDice(seed uint64, who string) *dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(who)) // never fails
	return &dice{r: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// n returns a number from 0 to n-1.
func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

// in is true in so many of a thousand cases.
func (d *dice) in(thousand int) bool { return d.n(1000) < thousand }

// between returns a duration from lo to hi, short ones as likely as long ones.
func (d *dice) between(lo, hi time.Duration) time.Duration {
	span := int64(hi - lo)
	for span > int64(time.Second) && d.in(400) {
		span /= 4
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return lo + time.Duration(d.r.Int64N(span+1))
}

// bytes returns so many random bytes.
func (d *dice) bytes(n int) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(d.r.Uint32())
	}
	return out
}

// clock is the wall clock of one machine. It may be wrong.
type clock struct {
	mu    sync.Mutex
	wrong time.Duration
}

// now is what the machine believes.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.wrong)
}

func (c *clock) set(wrong time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = wrong
}
