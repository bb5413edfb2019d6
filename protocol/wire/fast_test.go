package wire

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"doorsync/protocol"
)

// What has encoders and decoders of its own must be what the general ones make
// of it: the same bytes out, the same values in, the same refusals.

func texts(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.SampledFrom([]string{"", "readers", "office", "card", "ü"}), rapid.StringN(0, 300, 300)).Draw(t, label)
}

func blobs(t *rapid.T, label string) []byte {
	return rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 300)).Draw(t, label)
}

func stamps(t *rapid.T) protocol.Stamp {
	return protocol.Stamp{
		Wall:    rapid.Int64().Draw(t, "wall"),
		Counter: rapid.Uint32().Draw(t, "counter"), Origin: texts(t, "origin"),
	}
}

func values(t *rapid.T) protocol.Value {
	return protocol.Value{First: texts(t, "first"), Second: texts(t, "second")}
}

func credentials(t *rapid.T) protocol.Credential {
	return protocol.Credential{
		Kind: protocol.Kind(texts(t, "kind")), Format: texts(t, "format"), Number: texts(t, "number"),
		Bits: rapid.Uint16().Draw(t, "bits"), Slot: rapid.Uint8().Draw(t, "slot"), Template: blobs(t, "template"),
		Hash: texts(t, "hash"), Duress: rapid.Bool().Draw(t, "duress"),
	}
}

// some draws a list: nil, empty or with a few.
func some[V any](t *rapid.T, label string, one func(*rapid.T) V) []V {
	if rapid.Bool().Draw(t, label+" nil") {
		return nil
	}
	return rapid.SliceOfN(rapid.Custom(one), 0, 3).Draw(t, label)
}

func textOf[S ~string](t *rapid.T) S { return S(texts(t, "text")) }

func byField[V any](t *rapid.T, one func(*rapid.T) V) map[protocol.Field]V {
	if rapid.Bool().Draw(t, "no values") {
		return nil
	}
	return rapid.MapOfN(rapid.Custom(textOf[protocol.Field]), rapid.Custom(one), 0, 4).Draw(t, "values")
}

func givers(t *rapid.T) protocol.Giver {
	return protocol.Giver{Source: textOf[protocol.Source](t), State: textOf[protocol.Giving](t), Stamp: stamps(t)}
}

func records(t *rapid.T) protocol.Record {
	return protocol.Record{
		GUID: texts(t, "guid"), Site: texts(t, "site"), Removed: rapid.Bool().Draw(t, "removed"),
		Values: byField(t, func(t *rapid.T) protocol.Holding {
			return protocol.Holding{Value: values(t), Blank: rapid.Bool().Draw(t, "blank"), Source: textOf[protocol.Source](t), Stamp: stamps(t)}
		}),
		Credentials: some(t, "credentials", func(t *rapid.T) protocol.HeldCredential {
			return protocol.HeldCredential{Credential: credentials(t), By: some(t, "by", givers)}
		}),
		Groups: some(t, "groups", func(t *rapid.T) protocol.HeldGroup {
			return protocol.HeldGroup{Group: texts(t, "group"), By: some(t, "by", givers)}
		}),
	}
}

func edits(t *rapid.T) *protocol.Edit {
	if rapid.Bool().Draw(t, "no edit") {
		return nil
	}
	return &protocol.Edit{
		UserID: texts(t, "user"), New: rapid.Bool().Draw(t, "new"), Values: byField(t, values),
		Given: some(t, "given", credentials), Withdrawn: some(t, "withdrawn", textOf[protocol.CredentialKey]),
		Groups: some(t, "groups", textOf[string]), Refused: some(t, "refused", textOf[protocol.CredentialKey]),
	}
}

func entries(t *rapid.T) protocol.Entry {
	return protocol.Entry{
		Number: rapid.Uint64().Draw(t, "number"), ID: protocol.EntryID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
		Prev: blobs(t, "prev"), Stamp: stamps(t), Event: textOf[protocol.Event](t), Reader: texts(t, "reader"),
		ReaderID: texts(t, "reader id"), UserID: texts(t, "user"), Revision: rapid.Uint64().Draw(t, "revision"),
		Edit: edits(t), Detail: texts(t, "detail"),
	}
}

func changesOf(t *rapid.T) Changes {
	c := Changes{
		Session: texts(t, "session"), Roster: texts(t, "roster"), From: rapid.Uint64().Draw(t, "from"), To: rapid.Uint64().Draw(t, "to"),
		Epoch: texts(t, "epoch"), Journal: rapid.Uint64().Draw(t, "journal"), Stamp: stamps(t),
		Mend: rapid.Bool().Draw(t, "mend"), More: rapid.Bool().Draw(t, "more"),
		Users: some(t, "users", func(t *rapid.T) Change {
			return Change{
				GUID: texts(t, "guid"), IDs: some(t, "ids", textOf[string]), Gone: rapid.Bool().Draw(t, "gone"),
				Keys:   some(t, "keys", func(t *rapid.T) uint64 { return rapid.Uint64().Draw(t, "key") }),
				Record: rapid.SampledFrom([]cbor.RawMessage{nil, {0xa0}, {0x83, 1, 0x18, 24, 0xf6}}).Draw(t, "record"),
			}
		}),
	}
	if rapid.Bool().Draw(t, "page") {
		c.Page = &Page{After: texts(t, "after"), UpTo: texts(t, "up to"), Cursor: blobs(t, "cursor")}
	}
	if rapid.Bool().Draw(t, "settings") {
		c.Settings = &Settings{Mode: ModeGroups, Rules: protocol.DefaultRules(), Salt: blobs(t, "salt")}
	}
	return c
}

func TestOwnEncodingIsTheGeneralOne(t *testing.T) {
	c := codec(t)
	same := func(t *rapid.T, v any, own []byte) {
		general, err := c.enc.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(own, general) {
			t.Fatalf("own encoding of %T\n%x\ngeneral\n%x", v, own, general)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		rec, e, ch := records(t), entries(t), changesOf(t)
		j := Journal{Session: texts(t, "session"), Epoch: texts(t, "epoch"), Entries: some(t, "entries", entries)}
		stored := StoredJournal{Session: j.Session, Epoch: j.Epoch, Entries: []cbor.RawMessage{}}
		for _, e := range j.Entries {
			stored.Entries = append(stored.Entries, appendEntry(nil, e))
		}
		body, err := c.appendBody(nil, ch)
		if err != nil {
			t.Fatal(err)
		}
		same(t, rec, appendRecord(nil, rec))
		same(t, e, appendEntry(nil, e))
		same(t, j, appendJournal(nil, &j))
		same(t, stored, appendStoredJournal(nil, &stored))
		same(t, ch, body)
		same(t, envelope{Version: Version, Packed: ch.More, Body: body}, appendEnvelope(nil, ch.More, body))
	})
}

// agree decodes both ways and returns what was wrong with either. The own way
// may leave anything to the general one, but never take what that refuses or
// read it otherwise.
func agree[V any](t interface{ Fatalf(string, ...any) }, c *Codec, b []byte, own func(*items) V) {
	r := items{b: b}
	got := own(&r)
	if !r.done() {
		return
	}
	var want V
	if err := c.dec.Unmarshal(b, &want); err != nil {
		t.Fatalf("%x is read as %+v, and is refused by the general decoder: %v", b, got, err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%x is read as\n%#v\nby the general decoder as\n%#v", b, got, want)
	}
}

func agreeAll(t interface{ Fatalf(string, ...any) }, c *Codec, b []byte) {
	agree(t, c, b, (*items).record)
	agree(t, c, b, (*items).entry)
	agree(t, c, b, (*items).journal)
	agree(t, c, b, (*items).envelope)
	agree(t, c, b, func(r *items) Changes {
		ch, settings := r.changes()
		if settings != nil && c.dec.Unmarshal(settings, &ch.Settings) != nil {
			r.odd = true
		}
		return ch
	})
}

// What this version writes never needs the general decoder.
func TestOwnDecoderReadsWhatIsWritten(t *testing.T) {
	c := codec(t)
	whole := func(t *rapid.T, b []byte, read func(*items)) {
		r := items{b: b}
		if read(&r); !r.done() {
			t.Fatalf("%x is odd", b)
		}
		agreeAll(t, c, b)
	}
	rapid.Check(t, func(t *rapid.T) {
		whole(t, appendRecord(nil, records(t)), func(r *items) { r.record() })
		whole(t, appendEntry(nil, entries(t)), func(r *items) { r.entry() })
		j := Journal{Session: texts(t, "session"), Epoch: texts(t, "epoch"), Entries: some(t, "entries", entries)}
		whole(t, appendJournal(nil, &j), func(r *items) { r.journal() })
		body, err := c.appendBody(nil, changesOf(t))
		if err != nil {
			t.Fatal(err)
		}
		whole(t, body, func(r *items) { r.changes() })
	})
}

// Values alone are those of the whole record.
func TestUnmarshalValues(t *testing.T) {
	c := codec(t)
	rapid.Check(t, func(t *rapid.T) {
		b := appendRecord(nil, records(t))
		if rapid.Bool().Draw(t, "later version") {
			b = append(append([]byte{b[0] + 1}, b[1:]...), "\x6dlater_version\x01"...)
		}
		var want protocol.Record
		if err := c.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		want.Credentials, want.Groups = nil, nil
		if got, err := c.UnmarshalValues(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("values %#v, %v; of the whole record %#v", got, err, want)
		}
	})
}

// A byte changed anywhere: both decoders read the same, or the own one leaves it
// to the general one.
func TestOwnDecoderAgreesOnDamage(t *testing.T) {
	c := codec(t)
	rapid.Check(t, func(t *rapid.T) {
		body, err := c.appendBody(nil, changesOf(t))
		if err != nil {
			t.Fatal(err)
		}
		b := rapid.SampledFrom([][]byte{appendRecord(nil, records(t)), appendEntry(nil, entries(t)), body}).Draw(t, "message")
		if len(b) == 0 {
			return
		}
		for range 8 {
			bad := bytes.Clone(b)
			bad[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			agreeAll(t, c, bad)
		}
	})
}

func TestOwnDecoderLeavesOddThings(t *testing.T) {
	for _, tc := range []struct {
		name string
		b    []byte
	}{
		{"a field of a later version", append([]byte{0xa1}, "\x65later\x01"...)},
		{"fields out of order", append([]byte{0xa2}, "\x64site\x61a\x64guid\x61b"...)},
		{"a doubled field", append([]byte{0xa2}, "\x64guid\x61a\x64guid\x61b"...)},
		{"a longer head than need be", append([]byte{0xa1}, "\x64guid\x78\x01a"...)},
		{"an indefinite length", append([]byte{0xbf}, "\x64guid\x61a\xff"...)},
		{"text that is no UTF-8", append([]byte{0xa1}, "\x64guid\x61\xff"...)},
		{"a length beyond the end", append([]byte{0xa1}, "\x64guid\x7a\xff\xff\xff\xff"...)},
		{"more elements than bytes", append([]byte{0xa1}, "\x66groups\x9a\xff\xff\xff\xff"...)},
		{"a doubled key", append([]byte{0xa1}, "\x66values\xa2\x64name\xa0\x64name\xa0"...)},
		{"rubbish behind", []byte{0xa0, 0}},
		{"nothing", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := items{b: tc.b}
			if rec := r.record(); r.done() {
				t.Errorf("read as %+v", rec)
			}
		})
	}
}

func TestHeads(t *testing.T) {
	for _, n := range []uint64{0, 1, 23, 24, 255, 256, math.MaxUint16, math.MaxUint16 + 1, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
		b := appendHead(nil, majorUint, n)
		r := items{b: b}
		if got := r.head(majorUint); got != n || !r.done() {
			t.Errorf("%d is read back as %d from %x", n, got, b)
		}
	}
}

func FuzzOwnDecoders(f *testing.F) {
	c := codec(f)
	for _, m := range messages() {
		b, err := c.appendBody(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(appendEntry(nil, entry(3)))
	f.Fuzz(func(t *testing.T, b []byte) { agreeAll(t, c, b) })
}

// A record that gets other values without its elements being decoded is the
// record with these values.
func TestMarshalValues(t *testing.T) {
	c := codec(t)
	rapid.Check(t, func(t *rapid.T) {
		was, other := records(t), records(t)
		stored, err := c.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		outline, err := c.UnmarshalValues(stored)
		if err != nil {
			t.Fatal(err)
		}
		outline.Values, was.Values = other.Values, other.Values
		want, err := c.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.MarshalValues(outline, stored)
		if err != nil || !bytes.Equal(want, got) {
			t.Fatalf("%v\nwant %x\ngot  %x", err, want, got)
		}
	})
}
