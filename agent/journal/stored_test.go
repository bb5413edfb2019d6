package journal

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"doorsync/protocol/wire"
)

func TestFoundByReadsWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := wire.Change{
			IDs:    rapid.SliceOf(rapid.String()).Draw(t, "ids"),
			Keys:   rapid.SliceOf(rapid.Uint64()).Draw(t, "keys"),
			Record: rapid.SliceOf(rapid.Byte()).Draw(t, "record"),
		}
		f := foundBy(encodeStored(&c))
		ids, keys, err := decodeFoundBy(f)
		if err != nil || !slices.Equal(ids, c.IDs) || !slices.Equal(keys, c.Keys) {
			t.Fatalf("%v became %v, %v (%v)", c, ids, keys, err)
		}
	})
}

func FuzzDecodeFoundBy(f *testing.F) {
	f.Add(foundBy(encodeStored(&wire.Change{IDs: []string{"4", "04"}, Keys: []uint64{7}})))
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, _, err := decodeFoundBy(b)
		if err == nil && len(ids) > len(b) {
			t.Fatal("more IDs than bytes")
		}
	})
}
