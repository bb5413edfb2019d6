package csvfile

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"doorsync/protocol"
)

// FieldValue is one value that a row says.
type FieldValue struct {
	Field protocol.Field
	Value protocol.Value
}

// Row is what one row says about one person. An empty cell says nothing and
// leaves nothing in the row; Reader.Covers tells of which fields the file speaks
// at all. Next uses the slices again, but their strings may be kept.
type Row struct {
	// Line is the physical line on which the row begins, counted from 1.
	Line int
	// Values are by field in ascending order, none of them NULL. State is
	// protocol.StateActive or StateInactive, antipassback_exempt and
	// extended_grant are "enabled" or "disabled", a validity is in RFC 3339 and UTC.
	Values []FieldValue
	// Credentials and Groups are in the order of the file, each once.
	Credentials []protocol.Credential
	Groups      []string
	SyncID      string
	Language    string // BCP 47

	scratch []byte
	sorted  []string
}

// Value returns a value, NULL if the row does not say one.
func (r *Row) Value(f protocol.Field) protocol.Value {
	for i := range r.Values {
		if r.Values[i].Field == f {
			return r.Values[i].Value
		}
	}
	return protocol.Value{}
}

// ValueMap copies the values into a map.
func (r *Row) ValueMap() map[protocol.Field]protocol.Value {
	out := make(map[protocol.Field]protocol.Value, len(r.Values))
	for _, v := range r.Values {
		out[v.Field] = v.Value
	}
	return out
}

// Identity is what the person is told apart by, as written: the sync ID, or the
// e-mail address where the row has none. No row that Next returns lacks both.
func (r *Row) Identity() string {
	if r.SyncID != "" {
		return r.SyncID
	}
	return r.Value(protocol.FieldEmail).First
}

// Digest stands for what the row says, however it was written: encoding, quotes,
// the order of columns, of cards and of groups do not count, nor does the line.
// It is the same on every machine and never 0.
func (r *Row) Digest() uint64 {
	b := r.scratch[:0]
	for i := range r.Values {
		b = appendPart(b, string(r.Values[i].Field))
		b = appendPart(b, r.Values[i].Value.First)
		b = appendPart(b, r.Values[i].Value.Second)
	}
	r.sorted = r.sorted[:0]
	if len(r.Credentials) == 1 { // as almost everywhere: no key need be made
		c := &r.Credentials[0]
		b = appendPart(appendPart(appendPart(b, string(c.Kind)), c.Format), c.Number)
	} else {
		for i := range r.Credentials {
			r.sorted = append(r.sorted, string(r.Credentials[i].Key()))
		}
	}
	b = r.appendSet(b, 'c')
	r.sorted = append(r.sorted[:0], r.Groups...)
	b = r.appendSet(b, 'g')
	b = appendPart(b, r.SyncID)
	b = appendPart(b, r.Language)
	r.scratch = b
	sum := sha256.Sum256(b)
	if n := binary.BigEndian.Uint64(sum[:]); n != 0 {
		return n
	}
	return 1
}

func (r *Row) appendSet(b []byte, what byte) []byte {
	if len(r.sorted) > 1 {
		slices.Sort(r.sorted)
	}
	b = binary.AppendUvarint(append(b, what), uint64(len(r.sorted)))
	for _, s := range r.sorted {
		b = appendPart(b, s)
	}
	return b
}

func appendPart(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (r *Row) reset(line int) {
	r.Line = line
	r.Values, r.Credentials, r.Groups = r.Values[:0], r.Credentials[:0], r.Groups[:0]
	r.SyncID, r.Language = "", ""
}
