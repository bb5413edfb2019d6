package spool

// Bits is a set of row numbers, one bit each.
type Bits []uint64

// NewBits holds numbers from 0 to n-1.
func NewBits(n int) Bits { return make(Bits, (n+63)/64) }

// Set adds a number.
func (b Bits) Set(i int) { b[i>>6] |= 1 << (i & 63) }

// Has reports whether a number is in the set.
func (b Bits) Has(i int) bool { return b[i>>6]>>(i&63)&1 == 1 }

// Groups says which rows belong together. Nothing is allocated before two do;
// then it takes 8 bytes a row.
type Groups struct {
	n      int
	parent []uint32 // towards the first row of the group
	ring   []uint32 // the next row of the group, in a circle
}

// NewGroups has n rows, numbered from 0, each of them alone.
func NewGroups(n int) *Groups { return &Groups{n: n} }

// Join makes one group of the groups of two rows.
func (g *Groups) Join(a, b int) {
	if a == b {
		return
	}
	if g.parent == nil {
		g.parent, g.ring = make([]uint32, g.n), make([]uint32, g.n)
		for i := range g.parent {
			g.parent[i], g.ring[i] = uint32(i), uint32(i)
		}
	}
	a, b = g.First(a), g.First(b)
	if a == b {
		return
	}
	if b < a {
		a, b = b, a
	}
	g.parent[b] = uint32(a)
	g.ring[a], g.ring[b] = g.ring[b], g.ring[a]
}

// First is the first row of the row's group.
func (g *Groups) First(row int) int {
	if g.parent == nil {
		return row
	}
	for int(g.parent[row]) != row {
		g.parent[row] = g.parent[g.parent[row]]
		row = int(g.parent[row])
	}
	return row
}

// Rest are the other rows of a group by its first, in no order.
func (g *Groups) Rest(first int) []int {
	if g.parent == nil {
		return nil
	}
	var out []int
	for i := g.ring[first]; int(i) != first; i = g.ring[i] {
		out = append(out, int(i))
	}
	return out
}
