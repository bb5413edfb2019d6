package zk

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
	"doorsync/protocol"
)

func unconnected(m model, c charset) *session {
	return &session{d: &Driver{charset: c}, model: m}
}

func reasons(left []driver.LeftOut) string {
	var out []string
	for _, l := range left {
		out = append(out, l.Reason)
	}
	return strings.Join(out, "; ")
}

func TestProjectSaysWhatIsLeftOut(t *testing.T) {
	s := unconnected(model{width: frame.Width28, fingers: formatZK9, letters: true}, utf8Charset{})
	u := protocol.User{
		ID: "17",
		Values: map[protocol.Field]protocol.Value{
			protocol.FieldName:     protocol.Text("Bernadette"),
			protocol.FieldPIN:      protocol.Text("123456"),
			protocol.FieldValidity: {Second: "2026-12-31T00:00:00Z"},
		},
		Credentials: []protocol.Credential{
			protocol.Card(1 << 40), protocol.Card(5), protocol.Card(6),
			protocol.Fingerprint(formatZK10, 1, []byte("ten")), protocol.Fingerprint(formatZK9, 1, []byte("nine")), protocol.Fingerprint(formatZK9, 1, []byte("older")),
			{Kind: protocol.KindFace, Format: "zk-face", Template: []byte("face")},
		},
	}
	rows, left := s.Project(u)
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	r := rows[0].User
	if r.Value(protocol.FieldName) != protocol.Text("Bernade") || !r.Value(protocol.FieldPIN).IsNull() || len(r.Credentials) != 2 ||
		r.Credentials[0].Number != "5" || string(r.Credentials[1].Template) != "nine" {
		t.Errorf("row %+v", r)
	}
	for _, want := range []string{"cut to 7 bytes", "up to 5 digits", "no dates", "32 bits", "second card", "format zk9", "second template", "face"} {
		if !strings.Contains(reasons(left), want) {
			t.Errorf("%q is not among the reasons: %s", want, reasons(left))
		}
	}
}

func TestProjectRefusesUserIDs(t *testing.T) {
	for _, c := range []struct {
		model model
		id    string
		ok    bool
	}{
		{model{width: 72, letters: true}, "A-17", true},
		{model{width: 72}, "A17", false},
		{model{width: 72}, "007", true},
		{model{width: 72, idWidth: 5}, "123456", false},
		{model{width: 28, letters: true}, "007", false},
		{model{width: 28, letters: true}, "A1", false},
		{model{width: 28, letters: true}, "999999999", true},
		{model{width: 28, letters: true}, "4294967296", false},
	} {
		rows, left := unconnected(c.model, utf8Charset{}).Project(protocol.User{ID: c.id})
		if (len(rows) == 1) != c.ok || (len(left) == 0) != c.ok {
			t.Errorf("user ID %s in %+v: %d rows, left out %s", c.id, c.model, len(rows), reasons(left))
		}
	}
}

// What is projected is what is read back after it was written, whatever the
// name and the code page.
func TestProjectIsCanonical(t *testing.T) {
	for _, name := range []string{"utf-8", "gb18030", "gbk", "big5", "windows-1251", "windows-1252"} {
		page, err := newCharset(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := unconnected(model{width: rapid.SampledFrom([]int{28, 72}).Draw(t, "width"), letters: true}, page)
				u := protocol.User{ID: "17", Values: map[protocol.Field]protocol.Value{
					protocol.FieldName: protocol.Text(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"Müller-Lüdenscheidt Ä", "李小龙李小龙李小龙李小龙", "Жанна д'Арк"})).Draw(t, "name")),
					protocol.FieldPIN:  protocol.Text(rapid.StringMatching(`[0-9]{0,9}`).Draw(t, "pin")),
				}}
				roundTrip(t, s, u)
			})
		})
	}
}

func roundTrip(t *rapid.T, s *session, u protocol.User) {
	rows, _ := s.Project(u)
	l, err := frame.LayoutOf(s.model.width)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := l.Append(nil, s.record(rows[0], l))
	if err != nil {
		t.Fatal(err)
	}
	back, err := l.Parse(rec)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.row(back, nil); !got.Equal(rows[0]) {
		t.Fatalf("projected %q, read back %q", rows[0].User.FullName(), got.User.FullName())
	}
	again, _ := s.Project(s.row(back, nil).User)
	if !again[0].Equal(rows[0]) {
		t.Fatalf("projecting what was read: %q, was %q", again[0].User.FullName(), rows[0].User.FullName())
	}
}

func TestNamesOfOtherTerminals(t *testing.T) {
	for in, want := range map[string]string{
		"M\xfcller":  "Müller", // Windows-1252
		"Müller":     "Müller",
		"Anna M\xc3": "Anna M", // cut by the terminal in the middle of a character
		"\xff\xfe":   "ÿþ",
		"":           "",
	} {
		if got := (utf8Charset{}).decode([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMaskedKeepsTheHead(t *testing.T) {
	f := frame.Frame{Cmd: frame.CmdData, Session: 1, Reply: 2, Data: []byte("secret")}.Append(nil)
	if got := masked(f); !bytes.Equal(got[:8], f[:8]) || string(got[8:]) != "******" {
		t.Errorf("masked to %x", got)
	}
	if got := masked([]byte("garbage that is no frame")); string(got[8:]) != strings.Repeat("*", 16) {
		t.Errorf("masked to %q", got)
	}
}
