package spool_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/cloud/sources/spool"
	"doorsync/protocol"
)

func must(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// empty fails if files were left behind.
func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestSorter(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]uint64{0, 1, 2, 1 << 40, 1<<64 - 1})
		var want []spool.Record
		for range rapid.IntRange(0, 60).Draw(t, "records") {
			var r spool.Record
			for i := range r {
				r[i] = word.Draw(t, "word")
			}
			want = append(want, r)
		}
		s := spool.NewSorter(dir, rapid.IntRange(1, 70).Draw(t, "chunk"))
		for _, r := range want {
			must(t, s.Add(r))
		}
		must(t, s.Sort())
		if s.Len() != len(want) {
			t.Fatalf("%d records, want %d", s.Len(), len(want))
		}
		slices.SortFunc(want, func(a, b spool.Record) int { return a.Compare(&b) })
		for range 2 { // as often as one likes
			var got []spool.Record
			c := s.Cursor()
			for c.Next() {
				got = append(got, *c.Record())
			}
			must(t, c.Err())
			if !slices.Equal(got, want) {
				t.Fatalf("sorted %v, want %v", got, want)
			}
		}
		must(t, s.Close())
	})
	empty(t, dir)
}

func TestSorterWithoutAFolder(t *testing.T) {
	s := spool.NewSorter(filepath.Join(t.TempDir(), "none"), 2)
	var err error
	for i := range uint64(9) {
		if err = s.Add(spool.Record{i}); err != nil {
			break
		}
	}
	if err == nil {
		t.Error("records that cannot be written are no error")
	}
	must(t, s.Close())
}

// TestSorterCannotWrite has writing fail while records are added: whoever adds
// hears of it, and nobody waits for ever.
func TestSorterCannotWrite(t *testing.T) {
	dir := t.TempDir()
	s := spool.NewSorter(dir, 2)
	for i := range uint64(3) {
		must(t, s.Add(spool.Record{i}))
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("files %v, want one", files)
	}
	spool.CloseFile(s)
	err = nil
	for i := uint64(0); err == nil && i < 100; i++ {
		err = s.Add(spool.Record{i})
	}
	if err == nil {
		err = s.Sort()
	}
	if err == nil {
		t.Error("writing fails, and nobody is told")
	}
	_ = s.Close() // the file is closed already
	must(t, os.RemoveAll(files[0]))
}

func TestRows(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s, err := spool.NewRows(dir)
		must(t, err)
		var want []roster.Word
		for i := range rapid.IntRange(0, 200).Draw(t, "rows") {
			row, word := drawRow(t, i)
			n, err := s.Add(&row, word.Identity, word.Digest)
			must(t, err)
			if n != i {
				t.Fatalf("row %d has number %d", i, n)
			}
			want = append(want, word)
		}
		must(t, s.Done())
		scan := s.Scan()
		for scan.Next() {
			if rapid.Bool().Draw(t, "decode") {
				got, err := scan.Word()
				must(t, err)
				same(t, got, want[scan.Row()])
			}
		}
		must(t, scan.Err())
		for range min(len(want), 5) {
			i := rapid.IntRange(0, len(want)-1).Draw(t, "at")
			got, err := s.At(i)
			must(t, err)
			same(t, got, want[i])
		}
		if _, err := s.At(len(want)); err == nil {
			t.Fatal("a row that is not there was read")
		}
		must(t, s.Close())
	})
	empty(t, dir)
}

func same(t *rapid.T, got, want roster.Word) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func drawRow(t *rapid.T, line int) (csvfile.Row, roster.Word) {
	text := rapid.SampledFrom([]string{"", "Ann", "Gräy", "x\ny", string(make([]byte, 300))})
	w := roster.Word{Line: line, SyncID: text.Draw(t, "sync ID"), Language: text.Draw(t, "language"), Digest: rapid.Uint64().Draw(t, "digest")}
	w.Identity = roster.IdentityOf(w.SyncID)
	row := csvfile.Row{Line: line, SyncID: w.SyncID, Language: w.Language}
	for _, f := range rapid.SliceOfNDistinct(rapid.SampledFrom(protocol.Fields()), 0, 5, rapid.ID).Draw(t, "fields") {
		v := protocol.Value{First: text.Draw(t, "first"), Second: text.Draw(t, "second")}
		row.Values = append(row.Values, csvfile.FieldValue{Field: f, Value: v})
		if w.Values == nil {
			w.Values = map[protocol.Field]protocol.Value{}
		}
		w.Values[f] = v
	}
	for range rapid.IntRange(0, 3).Draw(t, "cards") {
		c := protocol.Credential{Kind: protocol.KindCard, Format: text.Draw(t, "format"), Number: text.Draw(t, "number"), Bits: rapid.Uint16().Draw(t, "bits")}
		w.Credentials = append(w.Credentials, c)
	}
	for range rapid.IntRange(0, 3).Draw(t, "groups") {
		w.Groups = append(w.Groups, text.Draw(t, "group"))
	}
	row.Credentials, row.Groups = w.Credentials, w.Groups
	return row, w
}

func TestGroups(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "rows")
		g := spool.NewGroups(n)
		of := make([]int, n) // the naive way: the least row of each group
		for i := range of {
			of[i] = i
		}
		for range rapid.IntRange(0, 30).Draw(t, "joins") {
			a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
			g.Join(a, b)
			least, other := min(of[a], of[b]), max(of[a], of[b])
			for i := range of {
				if of[i] == other {
					of[i] = least
				}
			}
		}
		for i := range of {
			if g.First(i) != of[i] {
				t.Fatalf("row %d begins with %d, want %d", i, g.First(i), of[i])
			}
			if of[i] != i {
				continue
			}
			var want []int
			for k := range of {
				if of[k] == i && k != i {
					want = append(want, k)
				}
			}
			got := g.Rest(i)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Fatalf("with %d go %v, want %v", i, got, want)
			}
		}
	})
}
