package journal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestJournalAgainstModel(t *testing.T) {
	dir := t.TempDir()
	files := 0
	rapid.Check(t, func(rt *rapid.T) {
		files++
		h := &harness{T: rt, t: t, path: filepath.Join(dir, fmt.Sprint(files)), m: model{records: map[string]modelRecord{}, revoked: map[protocol.CredentialKey]bool{}}}
		h.open()
		defer func() {
			h.close()
			_ = os.Remove(h.path)
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"edit": h.edit, "delta": h.delta, "snapshot": h.snapshot, "confirm": h.confirm,
			"reopen": h.reopen, "fail": h.fail, "revoke": h.revoke, "": h.compare,
		})
	})
}

// harness drives a journal and its model alike.
type harness struct {
	*rapid.T
	t    *testing.T
	path string
	j    *Journal
	ran  chan error
	m    model
}

func (h *harness) must(err error) {
	if err != nil {
		h.Fatal(err)
	}
}

func (h *harness) open() {
	j, err := Open(h.path, Options{Site: "north"})
	h.must(err)
	j.db.NoSync = true // nothing is cut off here
	j.keep = rapid.SampledFrom([]int{0, 1000, maxPending}).Draw(h.T, "kept")
	h.j, h.ran = j, make(chan error, 1)
	go func() { h.ran <- j.Run(context.Background()) }()
}

func (h *harness) close() {
	h.must(h.j.Close())
	if err := <-h.ran; err != nil && !errors.Is(err, ErrClosed) {
		h.Fatal(err)
	}
}

func (h *harness) reopen(*rapid.T) {
	h.close()
	h.open()
}

func (h *harness) genEdit(t *rapid.T) protocol.Edit {
	e := protocol.Edit{UserID: rapid.SampledFrom(modelIDs).Draw(t, "id")}
	e.Given = rapid.SliceOfN(rapid.SampledFrom(modelCards), 0, 2).Draw(t, "given")
	if rapid.Bool().Draw(t, "named") {
		e.Values = name(rapid.SampledFrom([]string{"Ada", "Bob"}).Draw(t, "name"))
	}
	if rapid.Bool().Draw(t, "mailed") {
		e.Values = map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text(rapid.SampledFrom([]string{"", "ada@example.org", "bob@example.org"}).Draw(t, "email"))}
	}
	return e
}

func (h *harness) edit(t *rapid.T) {
	e := h.genEdit(t)
	made, err := h.j.Append(context.Background(), Batch{Reader: "front", Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &e}}})
	h.must(err)
	want, got := h.m.take(e), *made[0].Edit
	if got.New != want.New || !slices.Equal(got.Refused, want.Refused) || made[0].Number != h.m.last+1 || made[0].Revision != h.m.revision {
		h.Fatalf("edit became %v: new %v, refused %v; want new %v, refused %v, number %d, revision %d", made[0], got.New, got.Refused, want.New, want.Refused, h.m.last+1, h.m.revision)
	}
	if n := len(h.m.notKept(*made[0].Edit, made[0].Stamp)); n != told(made, protocol.EventValueNotKept) {
		h.Fatalf("%d values were not kept, and %v tells so", n, made)
	}
	h.m.pending = append(h.m.pending, made[0])
	h.m.last = made[len(made)-1].Number
}

func told(entries []protocol.Entry, event protocol.Event) (n int) {
	for _, e := range entries {
		if e.Event == event {
			n++
		}
	}
	return n
}

// genUser draws the center's state of a user: with IDs, without, deleted.
func (h *harness) genUser(t *rapid.T, g string) (wire.Change, protocol.Record) {
	ids := rapid.Permutation(modelIDs).Draw(t, "ids")[:rapid.IntRange(1, 2).Draw(t, "aliases")]
	switch rapid.IntRange(0, 4).Draw(t, "state") {
	case 0:
		c := change(h.t, g, protocol.Record{Removed: true})
		if rapid.Bool().Draw(t, "IDs kept") {
			c.IDs = ids
		}
		return c, protocol.Record{Removed: true}
	default:
		var cards []uint64
		for n := range uint64(3) {
			if rapid.Bool().Draw(t, "card") {
				cards = append(cards, n+1)
			}
		}
		rec := record(ids[0], rapid.SampledFrom([]string{"Cyd", "Dan"}).Draw(t, "name"), stamp(5), cards...)
		return change(h.t, g, rec, ids[1:]...), rec
	}
}

func (h *harness) delta(t *rapid.T) {
	c := wire.Changes{Roster: "r", From: h.m.revision, To: h.m.revision + 1, Epoch: h.j.State().Epoch}
	c.Journal = rapid.Uint64Range(0, h.m.last).Draw(t, "journal")
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, 4), 0, 3, rapid.ID).Draw(t, "users") {
		if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
			c.Users = append(c.Users, wire.Change{GUID: guid(n), Gone: true})
			delete(h.m.records, guid(n))
			continue
		}
		u, rec := h.genUser(t, guid(n))
		c.Users = append(c.Users, u)
		h.remember(u, rec)
	}
	h.must(h.j.Apply(context.Background(), c))
	h.m.revision = c.To
	h.m.settle(c.Journal)
}

// remember does not touch what is held as it came.
func (h *harness) remember(u wire.Change, rec protocol.Record) {
	old, ok := h.m.records[u.GUID]
	if ok && slices.Equal(old.ids, u.IDs) && change(h.t, u.GUID, old.rec, u.IDs[min(1, len(u.IDs)):]...).Sum() == u.Sum() {
		return
	}
	h.m.store(u.GUID, rec, u.IDs)
}

func (h *harness) snapshot(t *rapid.T) {
	to := h.m.revision + 1
	cuts := []int{rapid.IntRange(0, 4).Draw(t, "cut"), 5}
	after := ""
	keep := map[string]bool{}
	var pages []wire.Changes
	for i, cut := range cuts {
		p := wire.Changes{Roster: "r", To: to, Page: &wire.Page{After: after, UpTo: guid(cut)}}
		from := 0
		if i == 1 {
			p.Page.UpTo, from = "", cuts[0]+1
		}
		for n := from; n <= min(cut, 4); n++ {
			if rapid.Bool().Draw(t, "there") {
				u, rec := h.genUser(t, guid(n))
				p.Users = append(p.Users, u)
				h.remember(u, rec)
				keep[u.GUID] = true
			}
		}
		pages, after = append(pages, p), guid(cut)
	}
	for _, p := range pages {
		h.must(h.j.Apply(context.Background(), p))
	}
	maps.DeleteFunc(h.m.records, func(g string, _ modelRecord) bool { return !keep[g] })
	h.m.revision = to
}

func (h *harness) confirm(t *rapid.T) {
	c := wire.Confirm{Epoch: h.j.State().Epoch, Taken: rapid.Uint64Range(0, h.m.last).Draw(t, "taken")}
	h.must(h.j.Confirm(context.Background(), c))
	if h.j.State().Confirmed != c.Taken {
		h.Fatal("not confirmed")
	}
}

func (h *harness) revoke(t *rapid.T) {
	card := rapid.SampledFrom(modelCards).Draw(t, "card").Key()
	h.m.revoked = map[protocol.CredentialKey]bool{card: true}
	salt := []byte("salt")
	h.must(h.j.Apply(context.Background(), wire.Changes{
		Roster: "r", From: h.m.revision, To: h.m.revision + 1,
		Settings: &wire.Settings{Salt: salt, Revoked: [][]byte{wire.RevokedHash(salt, card)}},
	}))
	h.m.revision++
}

// fail lets an edit and a delta fail; the model does not hear of them.
func (h *harness) fail(t *rapid.T) {
	broken := errors.New("broken disk")
	h.j.failCommit = func() error { return broken }
	e := h.genEdit(t)
	u, _ := h.genUser(t, guid(1))
	_, err := h.j.Append(context.Background(), Batch{Drafts: []Draft{{Edit: &e}}})
	err2 := h.j.Apply(context.Background(), wire.Changes{Roster: "r", From: h.m.revision, To: h.m.revision + 1, Users: []wire.Change{u}, Epoch: h.j.State().Epoch, Journal: h.m.last})
	if !errors.Is(err, broken) || !errors.Is(err2, broken) {
		h.Fatalf("%v, %v", err, err2)
	}
	h.j.failCommit = nil
}

func (h *harness) compare(*rapid.T) {
	for _, id := range modelIDs {
		want, live, tomb := h.m.under(id)
		got, ok, err := h.j.User(id)
		h.must(err)
		if ok != (live || tomb) || ok && got.Removed != tomb {
			h.Fatalf("user %s: got %v %+v, want %v, removed %v", id, ok, got, live, tomb)
		}
		if live {
			h.same("user "+id, got, want)
		}
	}
	for _, c := range modelCards {
		id, ok, err := h.j.Owner(c.Key())
		h.must(err)
		holders := h.m.holders(c.Key())
		if ok != (len(holders) > 0) || ok && !slices.ContainsFunc(holders, func(s somebody) bool { return s.id == id }) {
			h.Fatalf("%v is held by %q %v, want %v", c, id, ok, holders)
		}
	}
	h.compareUsers()
	h.comparePendings()
	r, err := h.j.Verify(context.Background(), nil)
	h.must(err)
	if st := h.j.State(); len(r.Faults) > 0 || st.Last != h.m.last || st.Revision != h.m.revision {
		h.Fatalf("%v, last %d of %d, revision %d of %d", r.Faults, st.Last, h.m.last, st.Revision, h.m.revision)
	}
}

// comparePendings holds what the writer keeps against the file.
func (h *harness) comparePendings() {
	h.j.turn.Lock()
	defer h.j.turn.Unlock()
	kept := h.j.pendings
	if kept == nil || !kept.complete || h.j.stale {
		return
	}
	h.must(h.j.read(func(r *reading) error {
		want := r.readPendings()
		if !slices.Equal(kept.order, want.order) || kept.bytes != want.bytes || fmt.Sprint(kept.by) != fmt.Sprint(want.by) {
			h.Fatalf("kept are %v, pending are %v", kept, want)
		}
		return nil
	}))
}

func (h *harness) compareUsers() {
	want := map[string]somebody{}
	for _, who := range h.m.everybody() {
		// Somebody new stands before those whom the center knows under the ID.
		if now, _, _ := h.m.under(who.id); now.record.GUID != "" || now.key == who.key {
			want[who.key] = who
		}
	}
	h.must(h.j.Users(context.Background(), func(v View) error {
		key := cmp.Or(v.GUID, "new "+v.User.ID)
		who, ok := want[key]
		if !ok {
			h.Fatalf("%s came, and should not or came before", key)
		}
		h.same(key, v, who)
		delete(want, key)
		return nil
	}))
	if len(want) > 0 {
		h.Fatalf("did not come: %v", slices.Sorted(maps.Keys(want)))
	}
}

func (h *harness) same(what string, got View, want somebody) {
	a, err := h.j.codec.Marshal(got.Record)
	h.must(err)
	b, err := h.j.codec.Marshal(want.record)
	h.must(err)
	if !bytes.Equal(a, b) || got.User.ID != want.id {
		h.Fatalf("%s: got %+v, want %+v", what, got, want)
	}
	for _, c := range got.User.Credentials {
		if h.m.revoked[c.Key()] {
			h.Fatalf("%s has a revoked credential", what)
		}
	}
}
