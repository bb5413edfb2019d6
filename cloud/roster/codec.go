package roster

import (
	"cmp"
	"fmt"
	"slices"

	"doorsync/cloud/roster/packed"
	"doorsync/protocol"
)

// A record holds most of what was contributed: every winning value with its
// source and stamp, and every source's word on every credential and group. Only
// the rest is stored as contributions: values that lost, and first words that
// later ones followed. Nothing is on the disk twice, and of most users nothing
// but the record is.

// rest is what one source said about one value, where the record does not tell.
type rest struct {
	source protocol.Source
	field  protocol.Field
	said   protocol.Said
}

func (r *rest) pack(b []byte) []byte {
	b = packed.Text(packed.Text(b, r.source), r.field)
	one := r.said.First == r.said.Latest
	b = packStatement(packed.Bool(b, one), r.said.First)
	if one {
		return b
	}
	return packStatement(b, r.said.Latest)
}

func readRest(p *packed.Reader) (r rest) {
	r.source, r.field = protocol.Source(p.Text()), protocol.Field(p.Text())
	one := p.Bool()
	r.said.First = readStatement(p)
	if r.said.Latest = r.said.First; !one {
		r.said.Latest = readStatement(p)
	}
	return r
}

func packStatement(b []byte, s protocol.Statement) []byte {
	b = packed.Bool(packed.Text(packed.Text(b, s.Value.First), s.Value.Second), s.Blank)
	return packed.Text(packed.Uint(packed.Int(b, s.Stamp.Wall), uint64(s.Stamp.Counter)), s.Stamp.Origin)
}

func readStatement(p *packed.Reader) protocol.Statement {
	return protocol.Statement{
		Value: protocol.Value{First: p.Text(), Second: p.Text()}, Blank: p.Bool(),
		Stamp: protocol.Stamp{Wall: p.Int(), Counter: uint32(p.Uint()), Origin: p.Text()},
	}
}

// encodeContributions encodes what the record folded from them does not tell.
func encodeContributions(cs []protocol.Contribution, rec protocol.Record) []byte {
	var out []rest
	for _, c := range cs {
		from := len(out)
		for f, said := range c.Values {
			if said != told(rec, c.Source, f) {
				out = append(out, rest{source: c.Source, field: f, said: said})
			}
		}
		slices.SortFunc(out[from:], func(a, b rest) int { return cmp.Compare(a.field, b.field) })
	}
	if len(out) == 0 {
		return nil
	}
	b := make([]byte, 0, 128*len(out))
	for i := range out {
		b = out[i].pack(b)
	}
	return b
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
func decodeContributions(b []byte, rec protocol.Record, keys []protocol.CredentialKey) ([]protocol.Contribution, error) {
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
	p := packed.Read(b)
	for p.More() {
		r := readRest(&p)
		of(r.source).Values[r.field] = r.said
	}
	if err := p.End(); err != nil {
		return nil, fmt.Errorf("decode contributions of user %s: %w: %w", rec.GUID, ErrDamaged, err)
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
