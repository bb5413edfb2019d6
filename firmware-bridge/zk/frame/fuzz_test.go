package frame

import (
	"bytes"
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	for _, v := range capturedPayloads() {
		f.Add(unhex(f, v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := Parse(b)
		if err == nil && !bytes.Equal(fr.Append(nil), b) {
			t.Errorf("frame %x does not survive", b)
		}
		ParseEvent(fr, time.UTC)
		if p, err := ReadTCP(bytes.NewReader(b)); err == nil && len(p) < headerLen {
			t.Errorf("short payload %x", p)
		}
	})
}

func FuzzUser(f *testing.F) {
	f.Add(unhex(f, recordNuevo))
	f.Add(unhex(f, recordNed))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, width := range []int{Width28, Width72} {
			l, err := LayoutOf(width)
			if err != nil {
				t.Fatal(err)
			}
			u, err := l.Parse(b)
			if err != nil || len(u.Name) > l.NameLen || u.UserID == "" || u.UserID == "0" {
				continue
			}
			if got, err := l.Append(nil, u); err != nil || !bytes.Equal(got, b) {
				t.Errorf("record %x came back as %x (%v)", b, got, err)
			}
		}
	})
}

func FuzzTables(f *testing.F) {
	f.Add(Template{UID: 1, Finger: 2, Flag: 1, Data: []byte("template")}.Append(nil), 1)
	f.Add(Op{Code: 6}.Append(nil), 3)
	f.Fuzz(func(t *testing.T, b []byte, count int) {
		if ts, err := ParseTemplates(b); err == nil {
			var out []byte
			for _, x := range ts {
				out = x.Append(out)
			}
			if !bytes.Equal(out, b) {
				t.Errorf("template table %x came back as %x", b, out)
			}
		}
		if users, _, err := ParseUsers(b, count); err == nil && len(users) != count {
			t.Errorf("%d users, want %d", len(users), count)
		}
		_, _ = ParseOplog(b)
		_, _ = ParseSizes(b)
		_, _ = Body(b)
		_, _ = ParsePrepared(b)
		_, _ = ParseSize(b)
		_, _ = ParseTable(b)
		_, _, _ = ParseChunk(b)
		_, _, _ = ParseOption(b)
		_ = Trim(b)
	})
}
