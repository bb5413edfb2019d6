package roster

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Contributions are stored as lists instead of maps, and without credentials:
// the record beside them has every credential that any source ever named, so
// templates are on the disk once.

type storedContribution struct {
	_           struct{} `cbor:",toarray"`
	Source      protocol.Source
	Values      []storedSaid
	Credentials []storedElement
	Groups      []storedElement
}

type storedStatement struct {
	_             struct{} `cbor:",toarray"`
	First, Second string
	Blank         bool
	Stamp         protocol.Stamp
}

type storedSaid struct {
	_      struct{} `cbor:",toarray"`
	Field  protocol.Field
	First  storedStatement
	Latest *storedStatement // nil: the same
}

type storedElement struct {
	_     struct{} `cbor:",toarray"`
	Name  string   // a key or a group
	State protocol.Giving
	Stamp protocol.Stamp
}

func encodeContributions(codec *wire.Codec, cs []protocol.Contribution) ([]byte, error) {
	out := make([]storedContribution, len(cs))
	for i, c := range cs {
		s := storedContribution{Source: c.Source}
		for f, said := range c.Values {
			one := storedSaid{Field: f, First: storeStatement(said.First)}
			if said.Latest != said.First {
				latest := storeStatement(said.Latest)
				one.Latest = &latest
			}
			s.Values = append(s.Values, one)
		}
		for k, e := range c.Credentials {
			s.Credentials = append(s.Credentials, storedElement{Name: string(k), State: e.State, Stamp: e.Stamp})
		}
		for g, m := range c.Groups {
			s.Groups = append(s.Groups, storedElement{Name: g, State: m.State, Stamp: m.Stamp})
		}
		slices.SortFunc(s.Values, func(a, b storedSaid) int { return cmp.Compare(a.Field, b.Field) })
		slices.SortFunc(s.Credentials, func(a, b storedElement) int { return cmp.Compare(a.Name, b.Name) })
		slices.SortFunc(s.Groups, func(a, b storedElement) int { return cmp.Compare(a.Name, b.Name) })
		out[i] = s
	}
	b, err := codec.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode contributions: %w", err)
	}
	return b, nil
}

func storeStatement(s protocol.Statement) storedStatement {
	return storedStatement{First: s.Value.First, Second: s.Value.Second, Blank: s.Blank, Stamp: s.Stamp}
}

func (s storedStatement) statement() protocol.Statement {
	return protocol.Statement{Value: protocol.Value{First: s.First, Second: s.Second}, Blank: s.Blank, Stamp: s.Stamp}
}

// decodeContributions needs the record that was stored with the contributions.
func decodeContributions(codec *wire.Codec, b []byte, rec protocol.Record) ([]protocol.Contribution, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var stored []storedContribution
	if err := codec.Unmarshal(b, &stored); err != nil {
		return nil, fmt.Errorf("decode contributions of user %s: %w: %w", rec.GUID, ErrDamaged, err)
	}
	creds := make(map[protocol.CredentialKey]protocol.Credential, len(rec.Credentials))
	for _, h := range rec.Credentials {
		creds[h.Credential.Key()] = h.Credential
	}
	out := make([]protocol.Contribution, len(stored))
	for i, s := range stored {
		out[i] = s.contribution(creds)
	}
	return out, nil
}

func (s storedContribution) contribution(creds map[protocol.CredentialKey]protocol.Credential) protocol.Contribution {
	c := protocol.NewContribution(s.Source)
	for _, v := range s.Values {
		said := protocol.Said{First: v.First.statement()}
		said.Latest = said.First
		if v.Latest != nil {
			said.Latest = v.Latest.statement()
		}
		c.Values[v.Field] = said
	}
	for _, e := range s.Credentials {
		k := protocol.CredentialKey(e.Name)
		cr, ok := creds[k]
		if !ok {
			cr = k.Credential()
		}
		c.Credentials[k] = protocol.Element{Credential: cr, State: e.State, Stamp: e.Stamp}
	}
	for _, g := range s.Groups {
		c.Groups[g.Name] = protocol.Membership{State: g.State, Stamp: g.Stamp}
	}
	return c
}

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
	i, ok := slices.BinarySearchFunc(out, c.Source, func(o protocol.Contribution, s protocol.Source) int {
		return cmp.Compare(o.Source, s)
	})
	if ok {
		out[i] = c
		return out
	}
	return slices.Insert(out, i, c)
}

// unite joins two users' contributions source by source.
func unite(a, b []protocol.Contribution) []protocol.Contribution {
	by := map[protocol.Source]protocol.Contribution{}
	for _, c := range slices.Concat(a, b) {
		if old, ok := by[c.Source]; ok {
			c = protocol.Join(old, c)
		}
		by[c.Source] = c
	}
	out := make([]protocol.Contribution, 0, len(by))
	for _, s := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[s])
	}
	return out
}
