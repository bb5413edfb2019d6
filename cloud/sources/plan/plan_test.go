package plan_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/cloud/sources/plan"
	"doorsync/cloud/sources/spool"
	"doorsync/protocol"
)

func must(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

func guid(i int) string { return fmt.Sprintf("019a0000-0000-7000-8000-%012d", i) }

// drawWorld makes a small world in which everything collides.
func drawWorld(t *rapid.T) *world {
	email := rapid.SampledFrom([]string{"", "a@x.org", "A@x.org ", "b@x.org", "c@x.org"})
	name := rapid.SampledFrom([]string{"", "Ann", "ANN", "Bob", "Cyd"})
	card := rapid.SampledFrom([]int{0, 1, 2, 3})
	w := &world{users: map[string]user{}, keep: rapid.IntRange(0, 9).Draw(t, "keep lost") == 0}
	w.keys = rapid.SliceOfNDistinct(rapid.SampledFrom([]roster.Key{roster.KeyEmail, roster.KeyFullName, roster.KeyCredential}), 0, 3, rapid.ID).Draw(t, "keys")
	users := rapid.IntRange(0, 6).Draw(t, "users")
	for i := range users {
		u := user{values: map[roster.Key]map[string]bool{roster.KeyEmail: {}, roster.KeyFullName: {}, roster.KeyCredential: {}}}
		put := func(k roster.Key, v string) {
			if v = roster.Fold(v); v != "" && rapid.Bool().Draw(t, "says") {
				u.values[k][v] = rapid.Bool().Draw(t, "others")
			}
		}
		put(roster.KeyEmail, email.Draw(t, "email"))
		put(roster.KeyFullName, name.Draw(t, "name"))
		if n := card.Draw(t, "card"); n != 0 {
			put(roster.KeyCredential, string(protocol.Card(uint64(n)).Key()))
		}
		w.users[guid(i)] = u
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "named") {
		su := roster.SourceUser{Identity: roster.IdentityOf(fmt.Sprint("r", i)), Digest: rapid.SampledFrom([]uint64{0, 1, 1, 1, 2, roster.DigestAbsent}).Draw(t, "digest")}
		if users > 0 && rapid.IntRange(0, 9).Draw(t, "whom") > 0 {
			su.GUID = guid(rapid.IntRange(0, users-1).Draw(t, "user"))
		}
		w.named = append(w.named, su)
	}
	for i := range rapid.IntRange(0, 12).Draw(t, "rows") {
		r := text(i+1, fmt.Sprint("r", rapid.IntRange(0, 14).Draw(t, "identity")), email.Draw(t, "email"), name.Draw(t, "name"), card.Draw(t, "card"))
		r.Digest = rapid.SampledFrom([]uint64{1, 1, 2}).Draw(t, "digest")
		w.rows = append(w.rows, r)
	}
	for range rapid.IntRange(0, 1).Draw(t, "bad") {
		w.bad = append(w.bad, roster.IdentityOf(fmt.Sprint("r", rapid.IntRange(0, 14).Draw(t, "bad identity"))))
	}
	return w
}

// file spools the rows of a world.
func (w *world) file(t interface{ Fatal(...any) }, dir string, chunk int) plan.File {
	rows, err := spool.NewRows(dir)
	must(t, err)
	f := plan.File{Rows: rows, Index: spool.NewSorter(dir, chunk)}
	for i := range w.rows {
		r := &w.rows[i]
		row := csvfile.Row{Line: r.Line, SyncID: r.SyncID, Credentials: r.Credentials}
		for _, field := range protocol.Fields() {
			if v, ok := r.Values[field]; ok {
				row.Values = append(row.Values, csvfile.FieldValue{Field: field, Value: v})
			}
		}
		n, err := rows.Add(&row, r.Identity, r.Digest)
		must(t, err)
		must(t, f.Index.Add(plan.IndexRecord(r.Identity, uint64(n), r.Digest)))
	}
	for _, id := range w.bad {
		must(t, f.Index.Add(plan.IndexRecord(id, plan.Bad, 0)))
	}
	must(t, rows.Done())
	must(t, f.Index.Sort())
	return f
}

// TestPlan holds plans against what comes out without any cleverness: rows joined
// one by one, no sorting, no bits.
func TestPlan(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		f := w.file(t, dir, rapid.IntRange(1, 9).Draw(t, "chunk"))
		var got found
		p, err := plan.Make(context.Background(), w, f, plan.Options{
			Dir: dir, Keys: w.keys, KeepLost: w.keep, Chunk: rapid.IntRange(1, 9).Draw(t, "chunk"), Few: rapid.SampledFrom([]int{1, 3, 100}).Draw(t, "few"),
			Undecided: func(e roster.Effect) { got.undecided = append(got.undecided, e.Line) },
		})
		must(t, err)
		got.persons = persons(t, p)
		if again := persons(t, p); !slices.Equal(got.persons, again) {
			t.Fatalf("asked again, the people are others: %q, then %q", got.persons, again)
		}
		if len(got.undecided) != p.Undecided {
			t.Fatalf("%d undecided, %d were told", p.Undecided, len(got.undecided))
		}
		must(t, p.Close())
		must(t, f.Index.Close())
		must(t, f.Rows.Close())
		want := w.naive()
		slices.Sort(got.persons)
		slices.Sort(got.undecided)
		if !slices.Equal(got.persons, want.persons) || !slices.Equal(got.undecided, want.undecided) {
			t.Fatalf("persons %q, undecided %v\nwant    %q, undecided %v", got.persons, got.undecided, want.persons, want.undecided)
		}
	})
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

// persons lists a plan's people and checks their order: whoever is gone comes
// first, then by first line.
func persons(t *rapid.T, p *plan.Plan) []string {
	t.Helper()
	var out []string
	last, lastGone := 0, ""
	for one, err := range p.Persons() {
		must(t, err)
		var lines []int
		for _, w := range one.Words {
			lines = append(lines, w.Line)
		}
		if !slices.IsSorted(lines) {
			t.Fatalf("words are not in the order of the file: %v", lines)
		}
		switch {
		case len(lines) == 0 && (last > 0 || one.GUID <= lastGone):
			t.Fatalf("%s is gone, and comes after others", one.GUID)
		case len(lines) == 0:
			lastGone = one.GUID
		default:
			last = lines[0]
		}
		if found := one.By != ""; found && one.GUID == "" {
			t.Fatalf("somebody new was found by %s", one.By)
		}
		out = append(out, show(one.GUID, lines, one.Lost))
	}
	return out
}
