package journal

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The index finds what a map finds, whatever is added and removed.
func TestIndexAgainstMap(t *testing.T) {
	s := open1(t)
	s.db.NoSync = true
	rapid.Check(t, func(rt *rapid.T) {
		want := map[uint64]map[string]bool{}
		s.must(s.submit(context.Background(), &request{do: func(tx *txn) error {
			if err := tx.tx.DeleteBucket([]byte(bucketNames[inIndex])); err != nil {
				return err
			}
			_, err := tx.tx.CreateBucket([]byte(bucketNames[inIndex]))
			return err
		}}))
		for range rapid.IntRange(1, 30).Draw(rt, "commits") {
			adds := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) indexed {
				n := rapid.IntRange(0, 40).Draw(rt, "user")
				g := guid(n)
				if n%5 == 0 {
					g = fmt.Sprintf("G%0*d", n, n) // no UUID, of any length
				}
				return indexed{hash: rapid.Uint64Range(0, 60).Draw(rt, "hash"), ref: packRef(g), gone: rapid.Bool().Draw(rt, "gone")}
			}), 0, 120).Draw(rt, "adds")
			for _, a := range adds {
				if want[a.hash] == nil {
					want[a.hash] = map[string]bool{}
				}
				want[a.hash][unpackRef(append(make([]byte, 8), a.ref...))] = !a.gone
			}
			s.must(s.submit(context.Background(), &request{do: func(tx *txn) error {
				tx.adds = slices.Clone(adds)
				return nil
			}}))
		}
		s.must(s.read(func(r *reading) error {
			for hash := range uint64(61) {
				var there []string
				for g, ok := range want[hash] {
					if ok {
						there = append(there, g)
					}
				}
				slices.Sort(there)
				got, err := r.lookup(hash)
				if err != nil || !slices.Equal(got, there) {
					rt.Fatalf("hash %d: got %v, want %v, %v", hash, got, there, err)
				}
			}
			return nil
		}))
	})
}
