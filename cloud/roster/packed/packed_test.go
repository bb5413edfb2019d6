package packed

import (
	"math"
	"slices"
	"testing"
)

// What was packed comes back, and what is cut anywhere is told as such.
func TestReader(t *testing.T) {
	b := Int(Uint(nil, math.MaxUint64), math.MinInt64)
	b = Texts(Text(Bool(b, true), "jörg"), []string{"", "a"})
	b = append(Texts(b, nil), 1, 2)
	read := func(b []byte) (ok bool, err error) {
		r := Read(b)
		ok = r.Uint() == math.MaxUint64 && r.Int() == math.MinInt64 && r.Bool() && r.Text() == "jörg" &&
			slices.Equal(r.Texts(), []string{"", "a"}) && r.Texts() == nil && slices.Equal(r.Bytes(2), []byte{1, 2}) && !r.More()
		return ok, r.End()
	}
	if ok, err := read(b); !ok || err != nil {
		t.Fatal(ok, err)
	}
	for n := range b {
		if _, err := read(b[:n]); err == nil {
			t.Errorf("cut to %d of %d bytes: no error", n, len(b))
		}
	}
	if _, err := read(append(b, 0)); err == nil {
		t.Error("a byte too many: no error")
	}
}

func TestReaderHostile(t *testing.T) {
	r := Read(Uint(nil, math.MaxUint64))
	if r.Texts() != nil || r.Text() != "" || r.Uint() != 0 || r.Int() != 0 || len(r.Bytes(3)) != 3 || r.End() == nil {
		t.Error("a length beyond the end was believed")
	}
}
