package roster_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// world is a center with sites that are connected only now and then.
type world struct {
	*center
	sites  []*site
	queued map[string][]protocol.Entry
	fail   *failing
}

func newWorld(t *testing.T) (*world, func()) {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	must(t, err)
	s, err := sqlstore.Open(t.Context(), filepath.Join(dir, "roster.db"), sqlstore.Options{Reserve: 1 << 12, Readers: 1})
	must(t, err)
	f := &failing{Store: s}
	w := &world{center: &center{t: t, store: f}, queued: map[string][]protocol.Entry{}, fail: f}
	w.open()
	for _, name := range []string{"A", "B", "C"} {
		_, err := w.AddSite(t.Context(), anna, name, roster.SiteSettings{})
		must(t, err)
		w.sites = append(w.sites, w.site(name))
	}
	return w, func() { must(t, s.Close()); must(t, os.RemoveAll(dir)) }
}

var (
	ids    = []string{"1", "2", "3", "4"}
	groups = []string{"staff", "it"}
	fields = []protocol.Field{protocol.FieldName, protocol.FieldFirstName, protocol.FieldPIN}
	cards  = []protocol.Credential{protocol.Card(1), protocol.Card(2), protocol.Card(3)}
)

func values(rt *rapid.T) map[protocol.Field]protocol.Value {
	out := map[protocol.Field]protocol.Value{}
	for _, f := range rapid.SliceOfNDistinct(rapid.SampledFrom(fields), 0, 2, rapid.ID).Draw(rt, "fields") {
		out[f] = protocol.Text(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(rt, "value"))
	}
	return out
}

// edit queues an edit at a site, of whom the site knows.
func (w *world) edit(rt *rapid.T) {
	s := rapid.SampledFrom(w.sites).Draw(rt, "site")
	id := rapid.SampledFrom(ids).Draw(rt, "id")
	_, known := s.users()[id]
	for _, e := range w.queued[s.name] {
		known = known || e.UserID == id
	}
	w.tick()
	e := protocol.Edit{UserID: id, New: !known, Values: values(rt), Given: rapid.SliceOfNDistinct(rapid.SampledFrom(cards), 0, 2, protocol.Credential.Key).Draw(rt, "given")}
	w.queued[s.name] = append(w.queued[s.name], s.entry(e))
}

// deliver brings queued entries to the center, some of them twice, and lets the
// site pull or not.
func (w *world) deliver(rt *rapid.T) {
	s := rapid.SampledFrom(w.sites).Draw(rt, "site")
	n := rapid.IntRange(0, len(w.queued[s.name])).Draw(rt, "entries")
	es := w.queued[s.name][:n]
	batch := []roster.SiteBatch{{Site: s.name, Epoch: s.epoch, Entries: es}}
	if rapid.IntRange(0, 4).Draw(rt, "fails") == 0 {
		w.fail.fail = true
		if _, err := w.Hear(w.t.Context(), batch); err == nil {
			rt.Fatal("a failed commit went unnoticed")
		}
		w.fail.fail = false
	}
	for range rapid.IntRange(1, 2).Draw(rt, "times") {
		got, err := w.Hear(w.t.Context(), batch)
		must(w.t, err)
		if n > 0 && (got[0].Gap || got[0].NewEpoch || got[0].Taken != es[n-1].Number) {
			rt.Fatalf("not taken: %+v", got[0])
		}
	}
	w.queued[s.name] = w.queued[s.name][n:]
	if rapid.Bool().Draw(rt, "pulls") {
		s.pullBy(rapid.SampledFrom([]int{1, 400, 1 << 20}).Draw(rt, "page"))
	}
}

// office does something that may well be refused.
func (w *world) office(rt *rapid.T) {
	ctx, id := w.t.Context(), rapid.SampledFrom(ids).Draw(rt, "id")
	card := rapid.SampledFrom(cards).Draw(rt, "card")
	w.tick()
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0, 1:
		_, _ = w.Put(ctx, anna, id, roster.Patch{Set: values(rt), Join: groups[:rapid.IntRange(0, 2).Draw(rt, "groups")]})
	case 2:
		_, _ = w.Put(ctx, anna, id, roster.Patch{Give: []protocol.Credential{card}})
	case 3:
		_ = w.Delete(ctx, anna, id)
	case 4:
		_, _ = w.Restore(ctx, anna, id)
	case 5:
		_ = w.Revoke(ctx, anna, card.Key())
	case 6:
		_ = w.Allow(ctx, anna, card.Key())
	case 7:
		_, _ = w.Merge(ctx, anna, id, rapid.SampledFrom(ids).Draw(rt, "other"))
	case 8:
		w.resolve(rt)
	case 9:
		o := roster.SplitOptions{UserID: rapid.SampledFrom([]string{"", "7", "8"}).Draw(rt, "own")}
		if rapid.Bool().Draw(rt, "by source") {
			o.Source = "hr"
		}
		if _, err := w.Split(ctx, anna, id, o); errors.Is(err, roster.ErrDamaged) {
			rt.Fatal(err)
		}
	}
}

// source imports a file, or changes what a source is.
func (w *world) source(rt *rapid.T) {
	rows := w.SourceRows()
	if len(rows) == 0 {
		return
	}
	r := rapid.SampledFrom(rows).Draw(rt, "source")
	w.tick()
	switch rapid.IntRange(0, 9).Draw(rt, "what") {
	case 0:
		must(w.t, w.RemoveSource(w.t.Context(), anna, r.Name, nil))
		w.addSource(r.Name, anyGone(rt), anyKeys(rt)...)
	case 1:
		r.Keys, r.Gone = anyKeys(rt), anyGone(rt)
		must(w.t, w.SetSource(w.t.Context(), anna, r))
	case 2:
		w.above(r.Name)
	case 3:
		_ = w.Decide(w.t.Context(), anna, r.Name, roster.IdentityOf(fmt.Sprint("S", rapid.IntRange(1, 6).Draw(rt, "row"))),
			rapid.SampledFrom(append([]string{""}, ids...)).Draw(rt, "whom"))
	default:
		w.feed(r.Name, people(rt, "people")...)
	}
}

func (w *world) resolve(rt *rapid.T) {
	list, err := w.Conflicts(w.t.Context())
	must(w.t, err)
	if len(list) == 0 {
		return
	}
	res := roster.Resolution{Renumber: rapid.SampledFrom([]string{"4", "5", "6"}).Draw(rt, "number")}
	if rapid.Bool().Draw(rt, "merge") {
		res = roster.Resolution{MergeInto: rapid.SampledFrom(ids).Draw(rt, "into")}
	}
	_, _ = w.Resolve(w.t.Context(), anna, list[0].User.GUID, res)
}

// settled delivers and pulls everything, then holds what every site has against
// the rules.
func (w *world) settled(rt *rapid.T) {
	for _, s := range w.sites {
		if es := w.queued[s.name]; len(es) > 0 {
			s.send(es...)
		}
		w.queued[s.name] = nil
	}
	for _, s := range w.sites {
		s.pull()
		if s.journal != s.number {
			rt.Fatalf("site %s: %d entries in effect, made %d", s.name, s.journal, s.number)
		}
	}
	w.holdAgainstRules(rt, w.sites...)
}

// holdAgainstRules compares what sites have pulled with what the rules give them
// of all that the center knows.
func (c *center) holdAgainstRules(t rapid.TB, sites ...*site) {
	page, err := c.Users(c.t.Context(), roster.Query{})
	must(c.t, err)
	holder := map[protocol.CredentialKey]string{}
	for _, u := range page.Users {
		for _, cr := range u.User.Credentials {
			if other := holder[cr.Key()]; other != "" {
				t.Fatalf("%s opens for %s and %s", cr, other, u.GUID)
			}
			holder[cr.Key()] = u.GUID
		}
	}
	for _, s := range sites {
		s.agree()
		want := given(t, page.Users, s.name)
		if got := s.users(); !reflect.DeepEqual(got, want) {
			t.Fatalf("site %s has %v, is to have %v", s.name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
}

// given are the users a site is to have, by user ID: those in conflict there, all
// of them, and everybody who is in no conflict, but for those who elsewhere have
// the ID of one in conflict there, be it as an alias.
func given(t rapid.TB, all []roster.UserView, site string) map[string]protocol.User {
	apart := map[string]bool{}
	for _, u := range all {
		if u.Conflict == site {
			apart[u.ID] = true
		}
	}
	out := map[string]protocol.User{}
	for _, u := range all {
		hidden := apart[u.ID] || slices.ContainsFunc(u.Aliases, func(id string) bool { return apart[id] })
		if u.Conflict != site && (u.Conflict != "" || hidden) {
			continue
		}
		if _, twice := out[u.ID]; twice {
			t.Fatalf("two users %s are to be at site %s", u.ID, site)
		}
		out[u.ID] = u.User
	}
	return out
}

// Whatever happens in whatever order: every site has what the rules give it, no
// credential opens for two, and memory is what the store says.
func TestRandomLife(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, end := newWorld(t)
		defer end()
		w.SpillAt(rapid.SampledFrom([]int{1, 2, 512}).Draw(rt, "spill"))
		if rapid.Bool().Draw(rt, "has sources") {
			w.addSource("hr", anyGone(rt), anyKeys(rt)...)
			w.addSource("badges", anyGone(rt), anyKeys(rt)...)
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0, 1:
				w.edit(rt)
			case 2, 3:
				w.deliver(rt)
			case 4:
				w.source(rt)
			default:
				w.office(rt)
			}
		}
		w.settled(rt)
		revision := w.Revision()
		w.open()
		if w.Revision() != revision {
			rt.Fatal("memory is not what the store says")
		}
		for _, s := range w.sites {
			s.agree()
		}
		// Folding everything anew changes nobody: records are what was contributed.
		must(t, w.Reindex(t.Context()))
		must(t, w.Check(t.Context()))
	})
}

// Edits of users whom everybody knows come to the same roster in whatever order
// sites are heard.
func TestOrderOfHearing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type made struct{ e protocol.Edit }
		plan := map[string][]made{}
		for i := range rapid.IntRange(1, 10).Draw(rt, "edits") {
			where := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(rt, "site")
			plan[where] = append(plan[where], made{e: protocol.Edit{
				UserID: rapid.SampledFrom(ids[:2]).Draw(rt, "id"), Values: values(rt), Given: []protocol.Credential{protocol.Card(uint64(100 + i))},
			}})
		}
		// Every card is of one user, or it would matter who is heard first.
		run := func(order []string) string {
			w, end := newWorld(t)
			defer end()
			for _, id := range ids[:2] {
				w.put(id, roster.Patch{})
			}
			entries := map[string][]protocol.Entry{}
			for _, s := range w.sites {
				s.pull()
				for _, m := range plan[s.name] {
					entries[s.name] = append(entries[s.name], s.entry(m.e))
				}
			}
			for _, name := range order {
				i := slices.IndexFunc(w.sites, func(s *site) bool { return s.name == name })
				if len(entries[name]) > 0 {
					w.sites[i].send(entries[name]...)
				}
			}
			var out strings.Builder
			for _, id := range ids[:2] {
				rec := w.user(id).Record
				for _, f := range fields {
					out.WriteString(fmt.Sprint(f, rec.Values[f].Value.First, rec.Values[f].Source, rec.Values[f].Stamp, " "))
				}
				out.WriteString(fmt.Sprint(rec.Credentials))
			}
			return out.String()
		}
		one := run([]string{"A", "B", "C"})
		if two := run(rapid.Permutation([]string{"A", "B", "C"}).Draw(rt, "order")); one != two {
			rt.Fatalf("heard in another order:\n%s\n%s", one, two)
		}
	})
}

var _ = wire.Buckets
