package protocol

import (
	"cmp"
	"slices"
)

// Source names where data about users comes from.
type Source string

// The built-in sources.
const (
	SourceOffice  Source = "office"  // typed at the center, by page, API or command line
	SourceReaders Source = "readers" // enrolled or edited on a reader, at any site
)

// Settle says which of several statements within SourceReaders about one value
// stands.
type Settle string

// First keeps what a reader said first; Latest what a reader said last.
const (
	SettleFirst  Settle = "first"
	SettleLatest Settle = "latest"
)

// Rules are what an administrator decides about merging. The zero Rules are not
// usable, start from DefaultRules.
type Rules struct {
	Order     []Source           `cbor:"order" json:"order"`                             // highest priority first
	Overrides map[Field][]Source `cbor:"overrides,omitempty" json:"overrides,omitempty"` // for one field, sources that come before Order
	Settle    Settle             `cbor:"settle" json:"settle"`                           // within readers
	SettleBy  map[Field]Settle   `cbor:"settle_by,omitempty" json:"settle_by,omitempty"` // within readers, for one field
	// Withdraw lets the removal of a credential at a reader count as a
	// withdrawal of what readers gave.
	Withdraw bool `cbor:"withdraw,omitempty" json:"withdraw,omitempty"`
}

// DefaultRules puts the office first and readers last, and keeps what a reader
// said first. The user ID is the office's to change whatever the order, or a
// person could never be renumbered.
func DefaultRules() Rules {
	return Rules{
		Order:     []Source{SourceOffice, SourceReaders},
		Overrides: map[Field][]Source{FieldUserID: {SourceOffice}},
		Settle:    SettleFirst,
	}
}

// Sources returns the order of sources for one field, highest first. The
// override stands before the rest of the order.
func (r Rules) Sources(f Field) []Source {
	over := r.Overrides[f]
	out := slices.Clone(over)
	for _, s := range r.Order {
		if !slices.Contains(over, s) {
			out = append(out, s)
		}
	}
	return out
}

// compare orders two sources for a field: negative when a has priority. Sources
// that nobody ordered come last, by name.
func (r Rules) compare(f Field, a, b Source) int {
	return cmp.Or(cmp.Compare(r.rank(f, a), r.rank(f, b)), cmp.Compare(a, b))
}

func (r Rules) rank(f Field, s Source) int {
	over := r.Overrides[f]
	if i := slices.Index(over, s); i >= 0 {
		return i
	}
	if i := slices.Index(r.Order, s); i >= 0 {
		return len(over) + i
	}
	return len(over) + len(r.Order)
}

// settle says which statement of a source about a field stands. Only readers
// settle by the rule; any other source is one voice, and its last word counts.
func (r Rules) settle(f Field, s Source) Settle {
	if s != SourceReaders {
		return SettleLatest
	}
	if by, ok := r.SettleBy[f]; ok {
		return by
	}
	return r.Settle
}
