package storetest

import (
	"errors"
	"maps"
	"math/rand/v2"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// model is what a store of the tables that take many rows must hold.
type model struct {
	named map[roster.Identity]roster.SourceUser
	keys  map[roster.KeyRow]bool
	held  map[protocol.CredentialKey]string
}

func (m model) clone() model {
	return model{maps.Clone(m.named), maps.Clone(m.keys), maps.Clone(m.held)}
}

// random holds a store to a model through random transactions of random size,
// some of which fail.
func random(t *testing.T, s roster.Store) {
	rnd := rand.New(rand.NewPCG(4, 2))
	m := model{map[roster.Identity]roster.SourceUser{}, map[roster.KeyRow]bool{}, map[protocol.CredentialKey]string{}}
	why := errors.New("no")
	for range 60 {
		next := m.clone()
		fails := rnd.IntN(4) == 0
		err := s.Update(t.Context(), func(tx roster.Tx) error {
			for range rnd.IntN(12) {
				next.step(t, tx, rnd)
			}
			if rnd.IntN(3) == 0 {
				next.check(t, tx)
			}
			if fails {
				return why
			}
			return nil
		})
		if fails != errors.Is(err, why) || !fails && err != nil {
			t.Fatal(err)
		}
		if !fails {
			m = next
		}
		view(t, s, func(v roster.View) { m.check(t, v) })
	}
}

// step is one random write; few values, so that they meet.
func (m model) step(t *testing.T, tx roster.Tx, rnd *rand.Rand) {
	t.Helper()
	n := rnd.IntN(70)
	switch rnd.IntN(6) {
	case 0, 1:
		rows := make([]roster.SourceUser, n)
		for i := range rows {
			rows[i] = named(rnd.IntN(100), rnd.Uint64(), []string{"", guid(rnd.IntN(9)), "text"}[rnd.IntN(3)])
			m.named[rows[i].Identity] = rows[i]
		}
		must(t, tx.PutNamed("hr", rows))
	case 2:
		ids := make([]roster.Identity, n/4)
		for i := range ids {
			ids[i] = named(rnd.IntN(100), 0, "").Identity
			delete(m.named, ids[i])
		}
		must(t, tx.DropNamed("hr", ids))
	case 3:
		m.stepKeys(t, tx, rnd, n)
	default:
		m.stepHeld(t, tx, rnd, n)
	}
}

func (m model) stepKeys(t *testing.T, tx roster.Tx, rnd *rand.Rand, n int) {
	t.Helper()
	rows := make([]roster.KeyRow, n)
	for i := range rows {
		rows[i] = roster.KeyRow{Key: roster.KeyHash(rnd.IntN(20)) << 60, GUID: guid(rnd.IntN(9))}
	}
	put, drop := rows[n/3:], rows[:n/3]
	for _, r := range put {
		m.keys[r] = true
	}
	for _, r := range drop {
		delete(m.keys, r)
	}
	must(t, tx.PutKeys(put))
	must(t, tx.DropKeys(drop))
}

func (m model) stepHeld(t *testing.T, tx roster.Tx, rnd *rand.Rand, n int) {
	t.Helper()
	card := func() protocol.CredentialKey { return protocol.Card(rnd.Uint64N(80)).Key() }
	if rnd.IntN(3) == 0 {
		k := card()
		delete(m.held, k)
		must(t, tx.DropHolder(k))
		return
	}
	rows := make([]roster.HolderRow, n)
	for i := range rows {
		rows[i] = roster.HolderRow{Key: card(), GUID: guid(rnd.IntN(9))}
		m.held[rows[i].Key] = rows[i].GUID
	}
	must(t, tx.PutHolders(rows))
	k := card()
	got, ok, err := tx.Holder(k)
	must(t, err)
	want, held := m.held[k]
	if got != want || ok != held {
		t.Fatalf("holder of %s: want %q, got %q", k, want, got)
	}
}

func (m model) check(t *testing.T, v roster.View) {
	t.Helper()
	got := model{map[roster.Identity]roster.SourceUser{}, map[roster.KeyRow]bool{}, map[protocol.CredentialKey]string{}}
	must(t, v.Named("hr", roster.Identity{}, func(u roster.SourceUser) bool { got.named[u.Identity] = u; return true }))
	must(t, v.Keys(0, func(k roster.KeyRow) bool { got.keys[k] = true; return true }))
	for n := range uint64(80) {
		k := protocol.Card(n).Key()
		guid, ok, err := v.Holder(k)
		must(t, err)
		if ok {
			got.held[k] = guid
		}
	}
	equal(t, "what is held", m, got)
	for n := range 9 {
		rows, err := v.NamedBy(guid(n))
		must(t, err)
		by := map[roster.Identity]roster.SourceUser{}
		for _, r := range rows {
			by[r.Identity] = r.SourceUser
		}
		want := maps.Clone(m.named)
		maps.DeleteFunc(want, func(_ roster.Identity, u roster.SourceUser) bool { return u.GUID != guid(n) })
		equal(t, "who names one", want, by)
	}
}
