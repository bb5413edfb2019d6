package sources_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
	"doorsync/protocol"
)

// drawn is a roster and two exports of a source, in which much collides.
type drawn struct {
	office []roster.Patch
	keys   []roster.Key
	gone   roster.Gone
	files  [2][]string
	skip   bool
}

func drawCase(t *rapid.T) drawn {
	first := rapid.SampledFrom([]string{"Ann", "ann ", "Bob", "Cyd", ""})
	email := rapid.SampledFrom([]string{"a@example.org", "A@example.org", "b@example.org", "c@example.org", ""})
	card := rapid.SampledFrom([]string{"", "1", "2", "3", "4", "1|2", "x"})
	d := drawn{skip: rapid.Bool().Draw(t, "skip")}
	d.keys = rapid.SliceOfNDistinct(rapid.SampledFrom([]roster.Key{roster.KeyEmail, roster.KeyFullName, roster.KeyCredential}), 0, 3, rapid.ID).Draw(t, "keys")
	d.gone = rapid.SampledFrom([]roster.Gone{roster.GoneKeep, roster.GoneRemove, roster.GoneRemoveOnly, roster.GoneDeactivate, roster.GoneDeactivateOnly}).Draw(t, "gone")
	for i := range rapid.IntRange(0, 3).Draw(t, "office") {
		p := roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldFirstName: protocol.Text("O")}}
		if v := first.Draw(t, "name"); v != "" {
			p.Set[protocol.FieldFirstName] = protocol.Text(v)
		}
		if v := email.Draw(t, "email"); v != "" {
			p.Set[protocol.FieldEmail] = protocol.Text(v)
		}
		p.Give = []protocol.Credential{protocol.Card(uint64(i + 1))}
		d.office = append(d.office, p)
	}
	for i := range d.files {
		d.files[i] = []string{header}
		for range rapid.IntRange(1, 6).Draw(t, "rows") {
			id := rapid.IntRange(1, 8).Draw(t, "sync ID")
			d.files[i] = append(d.files[i], fmt.Sprintf("%s,Test,%s,%s,s%d", first.Draw(t, "name"), email.Draw(t, "email"), card.Draw(t, "card"), id))
		}
	}
	return d
}

// TestProperties: a dry run tells in every line what the run does and changes
// nothing; the same file again changes nothing, not even by force.
func TestProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := drawCase(rt)
		o := newOffice(t)
		for i, p := range d.office {
			_, err := o.roster.Put(t.Context(), anna, fmt.Sprint(7+i), p)
			must(t, err)
		}
		o.add("hr", roster.SourceRow{Keys: d.keys, Gone: d.gone}, nil)
		for _, file := range d.files {
			o.export("hr", file...)
			o.now = o.now.Add(time.Second)
			before := o.dump()
			ask := func(q sources.Request) sources.Report {
				q.By, q.SkipBadRows = "anna", d.skip
				r, err := o.Import(t.Context(), "hr", q)
				must(t, err)
				o.clean()
				return r
			}
			would := ask(sources.Request{Dry: true})
			if !equalJSON(t, before, o.dump()) {
				rt.Fatal("the dry run changed the roster")
			}
			did := ask(sources.Request{Force: true})
			if !equalJSON(t, would.Counts, did.Counts) || !equalJSON(t, would.Effects, did.Effects) || !equalJSON(t, would.Errors, did.Errors) {
				rt.Fatalf("the dry run tells %+v\n%+v\nthe run %+v\n%+v", would.Counts, would.Effects, did.Counts, did.Effects)
			}
			if did.State == sources.StateFailed && !equalJSON(t, before, o.dump()) {
				rt.Fatal("a run that failed changed the roster")
			}
			after := o.dump()
			ask(sources.Request{Force: true})
			if !equalJSON(t, after, o.dump()) {
				rt.Fatalf("the same file again changed\n%v\nto\n%v", after, o.dump())
			}
		}
	})
}

// TestShuffled: the order of rows does not matter but for made-up user IDs, as long
// as no two rows want one thing.
func TestShuffled(t *testing.T) {
	for seed := range 15 {
		order := rapid.Permutation(slices.Sorted(maps.Keys(numbers(3 + seed)))).Example(seed)
		n := len(order)
		files := [2][]string{{header}, {header}}
		for i := range n {
			files[0] = append(files[0], line(i))
			files[1] = append(files[1], line(order[i]))
		}
		var dumps [2][]string
		for i, file := range files {
			o := newOffice(t)
			for k := range 3 {
				_, err := o.roster.Put(t.Context(), anna, fmt.Sprint(7+k), roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text(fmt.Sprintf("p%d@example.org", 3*k))}})
				must(t, err)
			}
			o.add("hr", roster.SourceRow{Keys: []roster.Key{roster.KeyEmail}}, nil)
			o.export("hr", file...)
			o.run("hr", sources.StateDone, sources.Request{})
			for id, u := range o.dump() {
				if strings.HasPrefix(id, "1000") {
					delete(u, "user_id")
				}
				dumps[i] = append(dumps[i], fmt.Sprint(u))
			}
			slices.Sort(dumps[i])
		}
		if !slices.Equal(dumps[0], dumps[1]) {
			t.Fatalf("in order %q\nshuffled by %v %q", dumps[0], order, dumps[1])
		}
	}
}

func numbers(n int) map[int]bool {
	out := map[int]bool{}
	for i := range n {
		out[i] = true
	}
	return out
}
