package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatalf("vector %q: %v", s, err)
	}
	return b
}

// Payloads as terminals and the vendor's software sent them.
func capturedPayloads() map[string]string {
	return map[string]string{
		"read ~OS":       "0B0058EFC5C005007E4F5300",
		"read ~Platform": "0B00B9E6F38D0C007E506C6174666F726D00",
		"~Platform":      "D007714CF38D0C007E506C6174666F726D3D5A454D3736305F54465400",
		"read WorkCode":  "0B0084C2F38D0B00576F726B436F646500",
		"verify mode":    "4F00EA79E78445000D008D" + strings.Repeat("00", 21),
		"write user":     "0800FC579D8A5C00" + recordNuevo,
		"attendance":     "F401AC1201000000393939313131333333" + strings.Repeat("00", 15) + "0100120619112905",
	}
}

const (
	recordNuevo = "0e0006313233343536007c4e7565766f" +
		"00000000000000000000000000000000000000" +
		"8f19000001000000000000000031313232343438380000000000000000" + "0000000000000000"
	recordNed = "0d000034343400c69a807c4e6564" +
		"000000000000000000000000000000000000000000" +
		"de00000002010001000200000035353500000000000000000000000000000000" + "0000000000"
)

func TestParse(t *testing.T) {
	for name, vector := range capturedPayloads() {
		t.Run(name, func(t *testing.T) {
			want := unhex(t, vector)
			f, err := Parse(want)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if got := f.Append(nil); !bytes.Equal(got, want) {
				t.Errorf("append\n got %x\nwant %x", got, want)
			}
			want[len(want)-1] ^= 4
			if _, err := Parse(want); !errors.Is(err, ErrChecksum) {
				t.Errorf("a damaged frame: got %v, want ErrChecksum", err)
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	for vector, want := range map[string]uint16{
		"0b00 0000 f38d 0300 5a4b4661636556657273696f6e00": 0x175a,
		"d007 0000 f38d 0a00 09":                           0x6a29,
	} {
		if got := Checksum(unhex(t, vector)); got != want {
			t.Errorf("checksum of %s: got %#04x, want %#04x", vector, got, want)
		}
	}
}

func TestReadTCP(t *testing.T) {
	var stream []byte
	for range 3 {
		stream = Frame{Cmd: AckOK, Session: 7, Reply: 9, Data: []byte("abc")}.AppendTCP(stream)
	}
	r := iotest.OneByteReader(bytes.NewReader(stream))
	for range 3 {
		b, err := ReadTCP(r)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		if f, err := Parse(b); err != nil || string(f.Data) != "abc" {
			t.Fatalf("got %v, %v", f, err)
		}
	}
	if _, err := ReadTCP(r); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: got %v, want EOF", err)
	}
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"other protocol": {"474554202f20485454", ErrMagic},
		"too long":       {"5050827dffffffff00", ErrLong},
		"too short":      {"5050827d0300000000", ErrShort},
		"cut":            {"5050827d100000000011", io.ErrUnexpectedEOF},
	} {
		if _, err := ReadTCP(bytes.NewReader(unhex(t, c.in))); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestCommKey(t *testing.T) {
	for _, c := range []struct {
		key     uint32
		session uint16
		want    string
	}{
		{0, 1, "617d3279"},
		{1234, 0x1f2e, "41363266"},
		{1234, 0x1f99, "41363266"},
		{1234, 0x2e2e, "41363257"},
		{5678, 0x1f2e, "09093266"},
	} {
		if got := CommKey(c.key, c.session); hex.EncodeToString(got[:]) != c.want {
			t.Errorf("key %d in session %#x: got %x, want %s", c.key, c.session, got, c.want)
		}
	}
}

func TestTime(t *testing.T) {
	at := time.Date(2018, 6, 25, 17, 41, 5, 0, time.UTC)
	if got := EncodeTime(at); got != 0x2368B131 {
		t.Errorf("encode: got %#x", got)
	}
	if got := DecodeTime(0x2368B131, time.UTC); !got.Equal(at) {
		t.Errorf("decode: got %v", got)
	}
}

func TestParseUser(t *testing.T) {
	l, err := LayoutOf(Width72)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		vector, pin, name, id string
		uid                   uint16
		card                  uint32
	}{
		{recordNuevo, "123456", "Nuevo", "11224488", 0x0e, 6543},
		{recordNed, "444", "Ned", "555", 0x0d, 222},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := unhex(t, c.vector)
			u, err := l.Parse(raw)
			if err != nil {
				t.Fatalf("parse: %v", err)
			}
			if u.UID != c.uid || u.PIN != c.pin || string(u.Name) != c.name || u.UserID != c.id || u.Card != c.card || u.Disabled {
				t.Errorf("got %+v", u)
			}
			if got, err := l.Append(nil, u); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("written back\n got %x (%v)\nwant %x", got, err, raw)
			}
			u.Disabled, u.Name = true, []byte("Anna")
			got, err := l.Append(nil, u)
			if err != nil {
				t.Fatal(err)
			}
			if got[2] != raw[2]|1 || !bytes.Equal(got[39:48], raw[39:48]) || !bytes.Equal(got[3:11], raw[3:11]) {
				t.Errorf("what is not ours changed\n got %x\n was %x", got, raw)
			}
		})
	}
}

func TestUser28(t *testing.T) {
	l, err := LayoutOf(Width28)
	if err != nil {
		t.Fatal(err)
	}
	raw := unhex(t, "0300 0e 3132333435 416e6e6100000000 8f190000 00 01 0000 d2040000")
	u, err := l.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if u.UID != 3 || u.PIN != "12345" || string(u.Name) != "Anna" || u.Card != 6543 || u.UserID != "1234" {
		t.Errorf("got %+v", u)
	}
	if got, err := l.Append(nil, u); err != nil || !bytes.Equal(got, raw) {
		t.Errorf("written back %x (%v)", got, err)
	}
	u.UserID = "A1"
	if _, err := l.Append(nil, u); err == nil {
		t.Error("a user ID with letters was written")
	}
}

func TestParseUsersNeedsTheCount(t *testing.T) {
	body := make([]byte, 504)
	for count, width := range map[int]int{18: Width28, 7: Width72} {
		users, l, err := ParseUsers(body, count)
		if err != nil || len(users) != count || l.Width != width {
			t.Errorf("%d users: got %d of width %d, %v", count, len(users), l.Width, err)
		}
	}
	if _, _, err := ParseUsers(body, 6); !errors.Is(err, ErrTable) {
		t.Errorf("6 users: got %v, want ErrTable", err)
	}
}

func TestTemplates(t *testing.T) {
	data := append(unhex(t, "4DFD53533231000004BE"), bytes.Repeat([]byte{7}, 1204)...)
	entry := Template{UID: 0x0e, Finger: 4, Flag: FlagValid, Data: data}.Append(nil)
	if want := unhex(t, "C4040E0004014DFD53533231000004BE"); !bytes.Equal(entry[:len(want)], want) {
		t.Fatalf("entry starts with %x, want %x", entry[:len(want)], want)
	}
	ts, err := ParseTemplates(append(bytes.Clone(entry), entry...))
	if err != nil || len(ts) != 2 || !bytes.Equal(ts[1].Data, data) {
		t.Fatalf("got %d templates, %v", len(ts), err)
	}
	if got := Trim(append(bytes.Clone(data), 0, 0, 0, 0, 0, 0, 1)); !bytes.Equal(got, data) {
		t.Errorf("trimmed to %d bytes, want %d", len(got), len(data))
	}
	if _, err := ParseTemplates(entry[:900]); !errors.Is(err, ErrTable) {
		t.Errorf("half an entry: got %v, want ErrTable", err)
	}
}

func TestOplog(t *testing.T) {
	raw := unhex(t, "0000062AC29B682303000000070002 05")
	ops, err := ParseOplog(raw)
	if err != nil || len(ops) != 1 {
		t.Fatalf("got %v, %v", ops, err)
	}
	o := ops[0]
	if o.Code != OpEnrollFinger || o.V != [4]uint16{3, 0, 7, 0x0502} || o.Quiet() {
		t.Errorf("got %+v", o)
	}
	if got := o.Append(nil); !bytes.Equal(got, raw) {
		t.Errorf("appended %x", got)
	}
}

func TestParseEvent(t *testing.T) {
	f, err := Parse(unhex(t, capturedPayloads()["attendance"]))
	if err != nil {
		t.Fatal(err)
	}
	e := ParseEvent(f, time.UTC)
	if e.Bit != EventAttendance || e.UserID != "999111333" || !e.At.Equal(time.Date(2018, 6, 25, 17, 41, 5, 0, time.UTC)) {
		t.Errorf("got %+v", e)
	}
}

func TestSizes(t *testing.T) {
	want := Sizes{Users: 3, Templates: 4, Oplog: 5, UserCap: 1000, TemplateCap: 3000, FreeUsers: 997, FreeTemplates: 2996, FaceCap: 9}
	b := want.Append(nil)
	if got, err := ParseSizes(b); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := ParseSizes(b[:80]); err != nil || got.Users != 3 || got.FaceCap != 0 {
		t.Errorf("old firmware: got %+v, %v", got, err)
	}
	if _, err := ParseSizes(b[:79]); !errors.Is(err, ErrShort) {
		t.Errorf("short: got %v", err)
	}
}
