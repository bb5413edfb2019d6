package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"doorsync/protocol"
)

func codec(t testing.TB) *Codec {
	t.Helper()
	c, err := NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func entry(n uint64) protocol.Entry {
	return protocol.Entry{
		Number: n, ID: protocol.EntryID{1, 2}, Prev: []byte{9}, Stamp: protocol.Stamp{Wall: 5, Counter: 1, Origin: "LYON"},
		Event: protocol.EventEnrolled, Reader: "front", UserID: "4", Revision: 7,
		Edit: &protocol.Edit{
			UserID: "4", New: true, Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text("Anna Meyer")},
			Given: []protocol.Credential{protocol.Card(6543), protocol.Fingerprint("zk10", 3, []byte{1, 2, 3})},
		},
	}
}

func messages() []any {
	return []any{
		&Hello{Session: "s", Epoch: "e", First: 1, Last: 9, Hash: []byte{1}, Revision: 3, Groups: []string{"staff"}, Version: "1"},
		&Journal{Session: "s", Epoch: "e", Entries: []protocol.Entry{entry(1), entry(2)}},
		&Pull{Session: "s", After: 3, Window: 1 << 20},
		&Readers{Session: "s", Readers: []ReaderState{{Name: "front", State: ReaderDiffers, Add: 2}}},
		&Digest{Session: "s", Revision: 3, Users: map[string][]byte{"g": {1}}, Of: []uint8{4}},
		&Presence{Session: "s", Online: true},
		&Confirm{Session: "s", Epoch: "e", Taken: 9, Verdicts: []Verdict{{Number: 9, Event: protocol.EventTooLate}}},
		&Changes{From: 1, To: 2, Users: []Change{{GUID: "g", IDs: []string{"4"}, Keys: []uint64{1}, Record: cbor.RawMessage{0xa0}}}, Settings: &Settings{Mode: ModeAll, Rules: protocol.DefaultRules()}},
		&Order{Session: "s", ID: "1", Do: DoSync, Reader: "front"},
	}
}

func TestCodecRoundTrip(t *testing.T) {
	c := codec(t)
	for _, msg := range messages() {
		t.Run(reflect.TypeOf(msg).Elem().Name(), func(t *testing.T) {
			b, err := c.Encode(msg)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(msg).Elem()).Interface()
			if err := c.Decode(b, got); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(msg, got) {
				t.Errorf("came back as %+v, was %+v", got, msg)
			}
			again, err := c.Encode(got)
			if err != nil || !bytes.Equal(b, again) {
				t.Errorf("the encoding is not deterministic: %v", err)
			}
		})
	}
}

// The bytes of RFC 8949's own encoding rules, written out by hand: a stored or
// sent message must stay readable, so its form may not drift.
func TestCodecGoldenBytes(t *testing.T) {
	c := codec(t)
	b, err := c.Encode(&Presence{Session: "s", Online: true})
	if err != nil {
		t.Fatal(err)
	}
	// {"b": h'a2 "online" true "session" "s"', "v": 1}
	want := "a2" + "6162" + "53" + "a2" + "666f6e6c696e65" + "f5" + "6773657373696f6e" + "6173" + "6176" + "01"
	if hex.EncodeToString(b) != want {
		t.Errorf("encoded as %x, want %s", b, want)
	}
}

// A later version adds fields and kinds of things; this one takes what it knows.
func TestCodecIgnoresFieldsOfALaterVersion(t *testing.T) {
	c := codec(t)
	body, err := c.Marshal(map[string]any{"session": "s", "after": 3, "window": 5, "later": map[string]any{"x": []int{1}}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Marshal(map[string]any{"v": 1, "b": body, "signature": []byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	var p Pull
	if err := c.Decode(b, &p); err != nil || p.After != 3 || p.Window != 5 {
		t.Errorf("decoded %+v, %v", p, err)
	}
}

func TestCodecRefuses(t *testing.T) {
	c := codec(t)
	good, err := c.Encode(&Pull{After: 3})
	if err != nil {
		t.Fatal(err)
	}
	pack := func(m map[string]any) []byte {
		b, err := c.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	bomb := c.packer.EncodeAll(make([]byte, MaxUnpacked+1), nil)
	deep := append(bytes.Repeat([]byte{0x81}, 64), 0x01)
	for _, tc := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrMalformed},
		{"text", []byte("hello"), ErrMalformed},
		{"cut short", good[:len(good)-1], ErrMalformed},
		{"followed by rubbish", append(bytes.Clone(good), 0), ErrMalformed},
		{"another version", pack(map[string]any{"v": 2, "b": []byte{0xa0}}), ErrVersion},
		{"wrong type inside", pack(map[string]any{"v": 1, "b": pack(map[string]any{"after": "three"})}), ErrMalformed},
		{"too large", make([]byte, MaxMessage+1), ErrTooLarge},
		{"grows when unpacked", pack(map[string]any{"v": 1, "z": true, "b": bomb}), ErrTooLarge},
		{"not packed though it says so", pack(map[string]any{"v": 1, "z": true, "b": []byte("zz")}), ErrMalformed},
		{"nested too deep", pack(map[string]any{"v": 1, "b": deep}), ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var p Pull
			if err := c.Decode(tc.b, &p); !errors.Is(err, tc.want) {
				t.Errorf("error %v, want %v", err, tc.want)
			}
		})
	}
}

// Text is compressed, templates (noise) are not: it would cost and not pay.
func TestCodecPacksWhatPays(t *testing.T) {
	c := codec(t)
	text := &Readers{}
	for range 200 {
		text.Readers = append(text.Readers, ReaderState{Name: "front", Driver: "zk", Model: "SpeedFace-V5L", State: ReaderInSync})
	}
	noise := make([]byte, 40_000)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	for _, tc := range []struct {
		name   string
		msg    any
		packed bool
	}{{"text", text, true}, {"noise", &Order{Buckets: noise}, false}} {
		t.Run(tc.name, func(t *testing.T) {
			b, err := c.Encode(tc.msg)
			if err != nil {
				t.Fatal(err)
			}
			var env envelope
			if err := c.Unmarshal(b, &env); err != nil || env.Packed != tc.packed {
				t.Errorf("packed = %v, want %v (%v)", env.Packed, tc.packed, err)
			}
		})
	}
}

func TestTopics(t *testing.T) {
	var topics Topics
	if got := topics.Up("LYON", KindHello); got != "doorsync/v1/sites/LYON/up/hello" {
		t.Error(got)
	}
	for topic, ok := range map[string]bool{
		"doorsync/v1/sites/LYON/up/journal":   true,
		"doorsync/v1/sites/LYON/down/changes": false,
		"doorsync/v1/sites//up/journal":       false,
		"doorsync/v1/sites/a/b/up/journal":    false,
		"other/sites/LYON/up/journal":         false,
		"doorsync/v1/sites/+/up/journal":      false,
		"doorsync/v1/sites/LYON/up":           false,
	} {
		site, kind, err := topics.ParseUp(topic)
		if (err == nil) != ok {
			t.Errorf("%s: %v", topic, err)
		}
		if ok && (site != "LYON" || kind != KindJournal) {
			t.Errorf("%s: site %q kind %q", topic, site, kind)
		}
	}
	for name, ok := range map[string]bool{"LYON": true, "a.b-c_1": true, "": false, "a b": false, "a/b": false, "+": false, "#": false, strings.Repeat("x", 65): false, "ü": false} {
		if (ValidSite(name) == nil) != ok {
			t.Errorf("site name %q: valid = %v", name, !ok)
		}
	}
}

// Digests do not depend on the order in which users came, and notice any change.
func TestDigest(t *testing.T) {
	a := Change{GUID: "a", IDs: []string{"4"}, Record: cbor.RawMessage("x")}
	b := Change{GUID: "b", IDs: []string{"5"}, Record: cbor.RawMessage("x")}
	var one, other Sum
	one.Toggle(a.Sum())
	one.Toggle(b.Sum())
	other.Toggle(b.Sum())
	other.Toggle(a.Sum())
	if one != other {
		t.Error("order changes the digest")
	}
	for _, changed := range []Change{{GUID: "a", IDs: []string{"4", "6"}, Record: a.Record}, {GUID: "a", IDs: a.IDs, Record: cbor.RawMessage("y")}, {GUID: "c", IDs: a.IDs, Record: a.Record}} {
		if changed.Sum() == a.Sum() {
			t.Errorf("%+v has the same sum", changed)
		}
	}
	other.Toggle(a.Sum())
	if other != b.Sum() {
		t.Error("taking a user away does not undo adding it")
	}
}

func FuzzDecode(f *testing.F) {
	c := codec(f)
	for _, m := range messages() {
		b, err := c.Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			got := reflect.New(reflect.TypeOf(m).Elem()).Interface()
			if err := c.Decode(b, got); err != nil {
				continue
			}
			if _, err := c.Encode(got); err != nil && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("decoded but cannot be encoded: %v", err)
			}
		}
	})
}
