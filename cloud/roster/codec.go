package roster

import (
	"cmp"
	"fmt"
	"slices"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// A record holds most of what was contributed: every winning value with its
// source and stamp, and every source's word on every credential and group. Only
// the rest is stored as contributions: values that lost, and first words that
// later ones followed. Nothing is on the disk twice, and of most users nothing
// but the record is.

// rest is what one source said about one value, where the record does not tell.
type rest struct {
	_      struct{} `cbor:",toarray"`
	Source protocol.Source
	Field  protocol.Field
	First  statement
	Latest *statement // nil: the same
}

type statement struct {
	_             struct{} `cbor:",toarray"`
	First, Second string
	Blank         bool
	Stamp         protocol.Stamp
}

func stored(s protocol.Statement) statement {
	return statement{First: s.Value.First, Second: s.Value.Second, Blank: s.Blank, Stamp: s.Stamp}
}

func (s statement) said() protocol.Statement {
	return protocol.Statement{Value: protocol.Value{First: s.First, Second: s.Second}, Blank: s.Blank, Stamp: s.Stamp}
}

// encodeContributions encodes what the record folded from them does not tell.
func encodeContributions(codec *wire.Codec, cs []protocol.Contribution, rec protocol.Record) ([]byte, error) {
	var out []rest
	for _, c := range cs {
		for f, said := range c.Values {
			if said == told(rec, c.Source, f) {
				continue
			}
			one := rest{Source: c.Source, Field: f, First: stored(said.First)}
			if said.Latest != said.First {
				latest := stored(said.Latest)
				one.Latest = &latest
			}
			out = append(out, one)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	slices.SortFunc(out, func(a, b rest) int { return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Field, b.Field)) })
	b, err := codec.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode contributions: %w", err)
	}
	return b, nil
}

// told is what the record tells of one source's words on a value.
func told(rec protocol.Record, s protocol.Source, f protocol.Field) protocol.Said {
	h, ok := rec.Values[f]
	if !ok || h.Source != s {
		return protocol.Said{}
	}
	st := protocol.Statement{Value: h.Value, Blank: h.Blank, Stamp: h.Stamp}
	return protocol.Said{First: st, Latest: st}
}

// decodeContributions needs the record that was stored with the contributions.
func decodeContributions(codec *wire.Codec, b []byte, rec protocol.Record, keys []protocol.CredentialKey) ([]protocol.Contribution, error) {
	if rec.Removed {
		return nil, nil
	}
	var out []protocol.Contribution
	of := func(s protocol.Source) protocol.Contribution {
		i, ok := slices.BinarySearchFunc(out, s, bySource)
		if !ok {
			out = slices.Insert(out, i, protocol.NewContribution(s))
		}
		return out[i]
	}
	for f, h := range rec.Values {
		of(h.Source).Values[f] = told(rec, h.Source, f)
	}
	for i, h := range rec.Credentials {
		for _, g := range h.By {
			of(g.Source).Credentials[keys[i]] = protocol.Element{Credential: h.Credential, State: g.State, Stamp: g.Stamp}
		}
	}
	for _, h := range rec.Groups {
		for _, g := range h.By {
			of(g.Source).Groups[h.Group] = protocol.Membership{State: g.State, Stamp: g.Stamp}
		}
	}
	if len(b) == 0 {
		return out, nil
	}
	var rests []rest
	if err := codec.Unmarshal(b, &rests); err != nil {
		return nil, fmt.Errorf("decode contributions of user %s: %w: %w", rec.GUID, ErrDamaged, err)
	}
	for _, r := range rests {
		said := protocol.Said{First: r.First.said()}
		said.Latest = said.First
		if r.Latest != nil {
			said.Latest = r.Latest.said()
		}
		of(r.Source).Values[r.Field] = said
	}
	return out, nil
}

func bySource(c protocol.Contribution, s protocol.Source) int { return cmp.Compare(c.Source, s) }

// contributionOf returns what a source says, empty if it says nothing.
func contributionOf(cs []protocol.Contribution, s protocol.Source) protocol.Contribution {
	for _, c := range cs {
		if c.Source == s {
			return c
		}
	}
	return protocol.NewContribution(s)
}

// withContribution returns the list with one source's word replaced.
func withContribution(cs []protocol.Contribution, c protocol.Contribution) []protocol.Contribution {
	out := slices.Clone(cs)
	i, ok := slices.BinarySearchFunc(out, c.Source, bySource)
	if ok {
		out[i] = c
		return out
	}
	return slices.Insert(out, i, c)
}

// unite joins two users' contributions source by source.
func unite(a, b []protocol.Contribution) []protocol.Contribution {
	out := slices.Clone(a)
	for _, c := range b {
		i, ok := slices.BinarySearchFunc(out, c.Source, bySource)
		if ok {
			out[i] = protocol.Join(out[i], c)
		} else {
			out = slices.Insert(out, i, c)
		}
	}
	return out
}
