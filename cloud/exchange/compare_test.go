package exchange

import (
	"slices"
	"testing"
	"testing/synctest"

	"doorsync/protocol/wire"
)

// digestHello is the hello of a site that says it holds everything, and what.
func (d faultyDesk) digestHello(roster string, held *[wire.Buckets]wire.Sum) {
	d.t.Helper()
	root := wire.Root(held)
	d.say("LYON", wire.KindHello, wire.Hello{
		Session: "s1", Epoch: "e", First: 1, Roster: roster, Revision: d.r.Revision(), Digest: root[:],
	})
	synctest.Wait()
}

func sums(held *[wire.Buckets]wire.Sum) (all [][]byte) {
	for i := range held {
		all = append(all, held[i][:])
	}
	return all
}

// TestDifferenceIsNarrowedDownAndMended: which buckets, which users of them,
// what they must be, and once more until nothing differs.
func TestDifferenceIsNarrowedDownAndMended(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		var held [wire.Buckets]wire.Sum
		d.f.digest[7][0], d.f.digest[200][3] = 1, 1
		d.digestHello("R", &held)
		if o := d.orders("LYON"); len(o) != 1 || o[0].Do != wire.DoDigest || len(o[0].Buckets) != 0 || o[0].Session != "s1" {
			t.Fatalf("asked at first for %+v", o)
		}
		d.say("LYON", wire.KindDigest, wire.Digest{Session: "s1", Buckets: sums(&held)})
		if o := d.orders("LYON"); len(o) != 1 || !slices.Equal(o[0].Buckets, []uint8{7, 200}) {
			t.Fatalf("asked of the buckets for %+v", o)
		}
		d.f.mu.Lock()
		d.f.mending = wire.Changes{Roster: "R", Mend: true, Users: []wire.Change{{GUID: "g", Record: noise(20)}}}
		d.f.mu.Unlock()
		d.say("LYON", wire.KindDigest, wire.Digest{Session: "s1", Of: []uint8{7, 200}, Users: map[string][]byte{"h": {1}}})
		o := d.orders("LYON")
		if c := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(c) != 1 || !c[0].Mend || c[0].Session != "s1" || len(c[0].Users) != 1 {
			t.Fatalf("mended by %+v", c)
		}
		if len(o) != 1 || len(o[0].Buckets) != 0 {
			t.Fatalf("after mending it was asked for %+v", o)
		}
		d.say("LYON", wire.KindDigest, wire.Digest{Session: "s1", Buckets: sums(&d.f.digest)})
		if o := d.orders("LYON"); len(o) != 0 {
			t.Errorf("nothing differs any more, and it was asked for %+v", o)
		}
		if n := len(d.f.mended); n != 1 || len(d.f.mended[0].Users) != 1 {
			t.Errorf("the roster was asked to mend %+v", d.f.mended)
		}
	})
}

// TestWhoIsCompared: only who says that it holds all of this very roster, and
// only when that is so.
func TestWhoIsCompared(t *testing.T) {
	var same, other [wire.Buckets]wire.Sum
	other[0][0] = 9
	for _, c := range []struct {
		name, roster string
		held         *[wire.Buckets]wire.Sum
		behind       uint64
		fail         string
		asked        bool
	}{
		{"who differs", "R", &other, 0, "", true},
		{"not who holds the same", "R", &same, 0, "", false},
		{"not who counts in another roster", "older", &other, 0, "", false},
		{"not whom something concerns that came since", "R", &other, 1, "", false},
		{"nobody while the digest cannot be read", "R", &other, 0, "SiteDigest", false},
		{"nobody while the changes cannot be read", "R", &other, 0, "Changes", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
				d.r.commit(5)
				d.greeted("LYON")
				if c.fail != "" {
					d.f.fail(c.fail, errStore)
				}
				root := wire.Root(c.held)
				d.say("LYON", wire.KindHello, wire.Hello{
					Session: "s1", Epoch: "e", First: 1, Roster: c.roster, Revision: 5 - c.behind, Digest: root[:],
				})
				if o := d.orders("LYON"); (len(o) == 1) != c.asked {
					t.Errorf("asked for %+v", o)
				}
				if got := take[wire.Confirm](t, d.out, "LYON", wire.KindConfirm); len(got) != 1 {
					t.Errorf("a hello was answered %d times", len(got))
				}
			})
		})
	}
}

// TestDigestsThatAreOfNoUse: of another session, of no known form, while the
// roster fails, and without end.
func TestDigestsThatAreOfNoUse(t *testing.T) {
	var held [wire.Buckets]wire.Sum
	for _, c := range []struct {
		name string
		say  wire.Digest
		fail string
	}{
		{"of another session", wire.Digest{Session: "s0", Buckets: sums(&held)}, ""},
		{"of too few buckets", wire.Digest{Session: "s1", Buckets: sums(&held)[1:]}, ""},
		{"of all while the roster fails", wire.Digest{Session: "s1", Buckets: sums(&held)}, "SiteDigest"},
		{"of some while the roster fails", wire.Digest{Session: "s1", Of: []uint8{1}}, "Mend"},
	} {
		t.Run(c.name, func(t *testing.T) {
			atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
				d.greeted("LYON")
				d.f.digest[1][1] = 1
				d.f.mending = wire.Changes{Users: []wire.Change{{GUID: "g", Record: noise(9)}}}
				if c.fail != "" {
					d.f.fail(c.fail, errStore)
				}
				d.say("LYON", wire.KindDigest, c.say)
				if o := d.orders("LYON"); len(o) != 0 {
					t.Errorf("asked for %+v", o)
				}
				if got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(got) != 0 {
					t.Errorf("told of %+v", got)
				}
				// What follows is told as ever.
				d.f.fail(c.fail, nil)
				d.r.commit(1)
				synctest.Wait()
				if got := take[wire.Changes](t, d.out, "LYON", wire.KindChanges); len(got) != 1 || got[0].To != 1 {
					t.Errorf("then it was told of %+v", got)
				}
			})
		})
	}
}

// TestMendingEnds: a difference that nothing mends waits for the next hello.
func TestMendingEnds(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.f.mending = wire.Changes{Mend: true, Users: []wire.Change{{GUID: "g", Record: noise(9)}}}
		rounds := func() (n int) {
			for range mendRounds + 20 {
				d.say("LYON", wire.KindDigest, wire.Digest{Session: "s1", Of: []uint8{1}})
				n += len(d.orders("LYON"))
			}
			return n
		}
		if n := rounds(); n != mendRounds {
			t.Errorf("%d rounds", n)
		}
		d.hello("LYON", "s1")
		if n := rounds(); n != mendRounds {
			t.Errorf("%d rounds after another hello", n)
		}
	})
}
