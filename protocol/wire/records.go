package wire

import (
	"cmp"
	"math"
	"slices"

	"doorsync/protocol"
)

// What is written and read for every edit has encoders and decoders of its own
// here: the same bytes as the general ones (held by tests), at a fifth of their
// time. See DESIGN.md.

func appendStamp(b []byte, s protocol.Stamp) []byte {
	b = appendInt(append(b, majorArray|3), s.Wall)
	return appendText(appendUint(b, uint64(s.Counter)), s.Origin)
}

func (r *items) stamp() protocol.Stamp {
	r.exactly(3)
	return protocol.Stamp{Wall: r.int(), Counter: uint32(r.uint(math.MaxUint32)), Origin: r.name()}
}

func (r *items) exactly(n int) {
	if r.length(majorArray) != n {
		r.odd = true
	}
}

func appendValue(b []byte, v protocol.Value) []byte {
	return appendText(appendText(append(b, majorArray|2), v.First), v.Second)
}

func (r *items) value() protocol.Value {
	r.exactly(2)
	return protocol.Value{First: r.text(), Second: r.text()}
}

// sortedKeys are a map's keys in the order of their encoded bytes.
func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

func compareKeys[K ~string](a, b K) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// valueMap reads a map by fields of users; keys that are doubled or out of order
// are odd.
func valueMap[V any](r *items, one func() V) map[protocol.Field]V {
	n := r.length(majorMap)
	m := make(map[protocol.Field]V, n)
	last := protocol.Field("")
	for i := range n {
		k := protocol.Field(r.name())
		if i > 0 && compareKeys(last, k) >= 0 {
			r.odd = true
		}
		if r.odd {
			return nil
		}
		last = k
		m[k] = one()
	}
	return m
}

// list reads a list, or nil.
func list[V any](r *items, one func() V) []V {
	if r.isNull() {
		return nil
	}
	n := r.length(majorArray)
	out := make([]V, 0, n)
	for range n {
		if out = append(out, one()); r.odd {
			return nil
		}
	}
	return out
}

func nameList[S ~string](r *items) []S { return list(r, func() S { return S(r.name()) }) }

func appendHolding(b []byte, h protocol.Holding) []byte {
	b = appendHead(b, majorMap, 3+count(h.Blank))
	b = appendSet(b, "b", h.Blank)
	b = appendText(append(b, 0x61, 's'), h.Source)
	b = appendStamp(append(b, 0x61, 't'), h.Stamp)
	return appendValue(append(b, 0x61, 'v'), h.Value)
}

func (r *items) holding() (h protocol.Holding) {
	f := r.fields()
	if f.has("b") {
		h.Blank = r.bool()
	}
	if f.has("s") {
		h.Source = protocol.Source(r.name())
	}
	if f.has("t") {
		h.Stamp = r.stamp()
	}
	if f.has("v") {
		h.Value = r.value()
	}
	f.end()
	return h
}

func appendGivers(b []byte, by []protocol.Giver) []byte {
	if by == nil {
		return append(b, itemNull)
	}
	b = appendHead(b, majorArray, uint64(len(by)))
	for _, g := range by {
		b = appendText(append(b, majorMap|3, 0x61, 'g'), g.State)
		b = appendText(append(b, 0x61, 's'), g.Source)
		b = appendStamp(append(b, 0x61, 't'), g.Stamp)
	}
	return b
}

func (r *items) giver() (g protocol.Giver) {
	f := r.fields()
	if f.has("g") {
		g.State = protocol.Giving(r.name())
	}
	if f.has("s") {
		g.Source = protocol.Source(r.name())
	}
	if f.has("t") {
		g.Stamp = r.stamp()
	}
	f.end()
	return g
}

func appendCredential(b []byte, c protocol.Credential) []byte {
	b = appendHead(b, majorMap, 1+count(c.Bits > 0, c.Hash != "", c.Slot > 0, c.Duress, c.Format != "", c.Number != "", len(c.Template) > 0))
	if c.Bits > 0 {
		b = appendUint(appendText(b, "bits"), uint64(c.Bits))
	}
	if c.Hash != "" {
		b = appendText(appendText(b, "hash"), c.Hash)
	}
	b = appendText(appendText(b, "kind"), c.Kind)
	if c.Slot > 0 {
		b = appendUint(appendText(b, "slot"), uint64(c.Slot))
	}
	b = appendSet(b, "duress", c.Duress)
	if c.Format != "" {
		b = appendText(appendText(b, "format"), c.Format)
	}
	if c.Number != "" {
		b = appendText(appendText(b, "number"), c.Number)
	}
	if len(c.Template) > 0 {
		b = appendBytes(appendText(b, "template"), c.Template)
	}
	return b
}

func (r *items) credential() (c protocol.Credential) {
	f := r.fields()
	if f.has("bits") {
		c.Bits = uint16(r.uint(math.MaxUint16))
	}
	if f.has("hash") {
		c.Hash = r.text()
	}
	if f.has("kind") {
		c.Kind = protocol.Kind(r.name())
	}
	if f.has("slot") {
		c.Slot = uint8(r.uint(math.MaxUint8))
	}
	if f.has("duress") {
		c.Duress = r.bool()
	}
	if f.has("format") {
		c.Format = r.name()
	}
	if f.has("number") {
		c.Number = r.text()
	}
	if f.has("template") {
		c.Template = r.bytes()
	}
	f.end()
	return c
}

// recordSize and entrySize are about what encoding takes, rather too much.
func recordSize(rec protocol.Record) int {
	n := 96 + 64*len(rec.Groups) + 96*len(rec.Values)
	for i := range rec.Credentials {
		n += 128 + len(rec.Credentials[i].Credential.Template)
	}
	return n
}

// appendRecord encodes a record as the general encoder does.
func appendRecord(b []byte, rec protocol.Record) []byte {
	b = appendHead(b, majorMap, count(rec.GUID != "", rec.Site != "", len(rec.Groups) > 0, len(rec.Values) > 0, rec.Removed, len(rec.Credentials) > 0))
	if rec.GUID != "" {
		b = appendText(appendText(b, "guid"), rec.GUID)
	}
	if rec.Site != "" {
		b = appendText(appendText(b, "site"), rec.Site)
	}
	if len(rec.Groups) > 0 {
		b = appendHead(appendText(b, "groups"), majorArray, uint64(len(rec.Groups)))
		for _, g := range rec.Groups {
			b = appendText(append(b, majorMap|2, 0x61, 'g'), g.Group)
			b = appendGivers(append(b, 0x62, 'b', 'y'), g.By)
		}
	}
	if len(rec.Values) > 0 {
		b = appendHead(appendText(b, "values"), majorMap, uint64(len(rec.Values)))
		for _, f := range sortedKeys(rec.Values) {
			b = appendHolding(appendText(b, f), rec.Values[f])
		}
	}
	b = appendSet(b, "removed", rec.Removed)
	if len(rec.Credentials) > 0 {
		b = appendHead(appendText(b, "credentials"), majorArray, uint64(len(rec.Credentials)))
		for _, h := range rec.Credentials {
			b = appendCredential(append(b, majorMap|2, 0x61, 'c'), h.Credential)
			b = appendGivers(append(b, 0x62, 'b', 'y'), h.By)
		}
	}
	return b
}

func (r *items) record() protocol.Record { return r.recordOf(true) }

// recordOf reads a record, or all of it but its credentials and groups.
func (r *items) recordOf(whole bool) (rec protocol.Record) {
	f := r.fields()
	if f.has("guid") {
		rec.GUID = r.text()
	}
	if f.has("site") {
		rec.Site = r.name()
	}
	if f.has("groups") {
		if whole {
			rec.Groups = list(r, r.heldGroup)
		} else {
			r.item()
		}
	}
	if f.has("values") {
		rec.Values = valueMap(r, r.holding)
	}
	if f.has("removed") {
		rec.Removed = r.bool()
	}
	if f.has("credentials") {
		if whole {
			rec.Credentials = list(r, r.heldCredential)
		} else {
			r.item()
		}
	}
	f.end()
	return rec
}

func (r *items) heldGroup() (h protocol.HeldGroup) {
	f := r.fields()
	if f.has("g") {
		h.Group = r.name()
	}
	if f.has("by") {
		h.By = list(r, r.giver)
	}
	f.end()
	return h
}

func (r *items) heldCredential() (h protocol.HeldCredential) {
	f := r.fields()
	if f.has("c") {
		h.Credential = r.credential()
	}
	if f.has("by") {
		h.By = list(r, r.giver)
	}
	f.end()
	return h
}
