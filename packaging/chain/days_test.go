package chain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/agent/uplink"
	"doorsync/cloud/exchange"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestOutage(t *testing.T) {
	world(t, 2, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		l.cut()
		for i := range 60 {
			lyon.enroll(1000 + i)
			oslo.enroll(2000+i, 3000+i)
			<-time.After(time.Second)
		}
		if st := lyon.up.Status(); st.State != uplink.Offline || !st.Behind || st.Error == "" {
			t.Errorf("status while cut off: %+v", st)
		}
		l.mend()
		begun := time.Now()
		until(t, 3*time.Second, settled(c, lyon, oslo))
		if took := time.Since(begun); took > 1100*time.Millisecond {
			t.Errorf("caught up after %v of virtual time", took)
		}
		everybody(t, c, lyon, oslo)
		for _, s := range []*site{lyon, oslo} {
			lost, back := count(t, s.j, protocol.EventWANLost), count(t, s.j, protocol.EventWANBack)
			if caught := count(t, s.j, protocol.EventCaughtUp); lost != 1 || back != 1 || caught != 2 {
				t.Errorf("%s: lost %d, back %d, caught up %d times", s.name, lost, back, caught)
			}
		}
		if st := lyon.up.Status(); st.State != uplink.Online || st.Behind {
			t.Errorf("status when back: %+v", st)
		}
	})
}

// TestCenterRestarts: the broker stays, so that the sites do not notice by the
// connection.
func TestCenterRestarts(t *testing.T) {
	world(t, 3, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		l.setCenter(nil)
		c.close()
		lyon.enroll(1)
		*c = *startCenter(t, c.path, l)
		l.setCenter(c.x)
		c.x.Connected()
		until(t, 3*time.Second, settled(c, lyon, oslo))
		if oslo.user("1") == "" || count(t, lyon.j, protocol.EventWANLost) != 0 {
			t.Error("a short absence of the center was not bridged")
		}
	})
}

func TestCenterSilent(t *testing.T) {
	world(t, 4, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		l.setCenter(nil)
		<-time.After(2 * time.Minute)
		if st := lyon.up.Status(); st.State == uplink.Online || !strings.Contains(st.Error, "doorsync-central") {
			t.Errorf("status: %+v", st)
		}
		if n := count(t, lyon.j, protocol.EventWANLost); n != 1 {
			t.Errorf("WAN lost was journaled %d times", n)
		}
		l.setCenter(c.x)
		until(t, 20*time.Second, settled(c, lyon, oslo))
	})
}

// TestSiteRestored: an old copy of the journal is put back. What the center has
// stays, what happens from then on arrives.
func TestSiteRestored(t *testing.T) {
	world(t, 5, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		lyon.enroll(1, 2)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.close()
		old := mustRead(t, lyon.path)
		*lyon = *startSite(t, "LYON", lyon.path, l.connect("LYON"), nil)
		lyon.enroll(3, 4, 5)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.close()
		mustWrite(t, lyon.path, old)
		*lyon = *startSite(t, "LYON", lyon.path, l.connect("LYON"), nil)
		lyon.enroll(6)
		until(t, 10*time.Second, settled(c, lyon, oslo))
		has(t, c, []*site{lyon, oslo}, 1, 2, 3, 4, 5, 6)
		if n := count(t, lyon.j, protocol.EventNewEpoch); n == 0 {
			t.Error("the restored copy was not noticed")
		}
	})
}

// TestSiteRestoredAndAhead: the restored journal has grown past the number that
// the center knows before it says hello.
func TestSiteRestoredAndAhead(t *testing.T) {
	world(t, 6, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		lyon.enroll(1, 2)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.close()
		old := mustRead(t, lyon.path)
		*lyon = *startSite(t, "LYON", lyon.path, l.connect("LYON"), nil)
		lyon.enroll(3)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.close()
		mustWrite(t, lyon.path, old)
		l.cut()
		*lyon = *startSite(t, "LYON", lyon.path, l.connect("LYON"), nil)
		for id := 10; id < 40; id++ {
			lyon.enroll(id)
		}
		l.mend()
		until(t, 20*time.Second, settled(c, lyon, oslo))
		has(t, c, []*site{lyon, oslo}, 1, 2, 3, 10, 25, 39)
	})
}

// TestCenterRestored: an old copy of the roster is put back. What the sites
// still keep is sent again.
func TestCenterRestored(t *testing.T) {
	world(t, 7, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		lyon.enroll(1, 2)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		restart := func(between func()) {
			l.setCenter(nil)
			c.close()
			between()
			*c = *startCenter(t, c.path, l)
			l.setCenter(c.x)
			c.x.Connected()
		}
		var old []byte
		restart(func() { old = mustRead(t, c.path) })
		until(t, 10*time.Second, settled(c, lyon, oslo))
		lyon.enroll(3, 4)
		oslo.enroll(5)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		restart(func() {
			mustWrite(t, c.path, old)
			_ = os.Remove(c.path + "-wal")
			_ = os.Remove(c.path + "-shm")
		})
		until(t, 30*time.Second, settled(c, lyon, oslo))
		has(t, c, []*site{lyon, oslo}, 1, 2, 3, 4, 5)
	})
}

// TestTwins: two agents run under one name, from copies of one journal.
func TestTwins(t *testing.T) {
	world(t, 8, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		lyon.enroll(1)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.close()
		twin := file(t.TempDir(), "twin.db")
		mustWrite(t, twin, mustRead(t, lyon.path))
		*lyon = *startSite(t, "LYON", lyon.path, l.connect("LYON"), nil)
		lyon.enroll(2)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.close()
		other := startSite(t, "LYON", twin, l.connect("LYON"), nil)
		other.enroll(3)
		until(t, 10*time.Second, settled(c, other, oslo))
		other.close()
		*lyon = *startSite(t, "LYON", lyon.path, l.connect("LYON"), nil)
		lyon.enroll(4)
		until(t, 10*time.Second, settled(c, lyon, oslo))
		has(t, c, []*site{lyon, oslo}, 1, 2, 3, 4)
	})
}

// TestStrangeMessages: nothing that anybody may send stops the exchange.
func TestStrangeMessages(t *testing.T) {
	world(t, 9, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		top := wire.Topics{}
		for range 3 {
			for _, k := range []wire.Kind{wire.KindHello, wire.KindJournal, wire.KindPull, wire.KindReaders, wire.KindDigest, wire.KindDone, wire.KindPresence, "invented"} {
				c.x.Heard(top.Up("LYON", k), []byte("garbage"))
				c.x.Heard(top.Up("LYON", k), nil)
				c.x.Heard(top.Up("ROME", k), nil)
			}
			c.x.Heard("somebody/else", nil)
			c.x.Heard(top.Up("LYON", wire.KindJournal), make([]byte, wire.MaxMessage+1))
		}
		l.mu.Lock()
		heard := l.links["OSLO"].call.Heard
		l.mu.Unlock()
		for _, k := range []wire.Kind{wire.KindConfirm, wire.KindChanges, wire.KindOrder, "invented"} {
			heard(k, []byte("garbage"))
			heard(k, make([]byte, wire.MaxMessage+1))
		}
		lyon.enroll(1)
		until(t, 5*time.Second, settled(c, lyon, oslo))
		got := c.x.Counts()
		for why, want := range map[string]uint64{
			exchange.DropForeign: 3, exchange.DropUnknown: 24, exchange.DropTooLarge: 3, exchange.DropKind: 6,
		} {
			if got.Dropped[why] != want {
				t.Errorf("dropped as %s: %d, want %d", why, got.Dropped[why], want)
			}
		}
		if oslo.up.Status().Dropped != 8 {
			t.Errorf("the site dropped %d", oslo.up.Status().Dropped)
		}
	})
}

// TestOldSession: messages of an ended connection arrive late.
func TestOldSession(t *testing.T) {
	world(t, 10, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		var mu sync.Mutex
		var late []func()
		stop := c.x.Tap(func(wire.Shown) {})
		defer stop()
		until(t, 5*time.Second, settled(c, lyon, oslo))
		l.mu.Lock()
		old := l.links["LYON"]
		l.mu.Unlock()
		record := func(k wire.Kind, m any) {
			codec, err := wire.NewCodec()
			if err != nil {
				t.Fatal(err)
			}
			payload, err := codec.Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			late = append(late, func() { c.x.Heard(wire.Topics{}.Up("LYON", k), payload) })
			mu.Unlock()
		}
		st := lyon.j.State()
		record(wire.KindHello, wire.Hello{Session: old.call.Session, Epoch: st.Epoch, First: st.First, Last: 1, Taken: 0})
		record(wire.KindPull, wire.Pull{Session: old.call.Session, After: 1, Window: 1, Again: true})
		record(wire.KindPresence, wire.Presence{Session: old.call.Session})
		l.cut()
		<-time.After(5 * time.Second)
		l.mend()
		until(t, 5*time.Second, settled(c, lyon, oslo))
		for _, f := range late {
			f()
		}
		oslo.enroll(1)
		until(t, time.Second, func() error {
			if lyon.user("1") == "" {
				return errors.New("user 1 is not at LYON")
			}
			return nil
		})
		if n := count(t, lyon.j, protocol.EventNewEpoch); n != 0 {
			t.Error("an old hello was answered")
		}
	})
}

// TestMend: a site's copy is not what it should be.
func TestMend(t *testing.T) {
	world(t, 11, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		for i := range 60 {
			lyon.enroll(1000 + i)
			oslo.enroll(2000+i, 3000+i)
		}
		until(t, 5*time.Second, settled(c, lyon, oslo))
		st := oslo.j.State()
		gone := wire.Changes{Roster: st.Roster, From: st.Revision, To: st.Revision, Mend: true}
		for _, id := range []string{"1003", "2005", "3007"} {
			v, _, err := oslo.j.User(id)
			if err != nil {
				t.Fatal(err)
			}
			gone.Users = append(gone.Users, wire.Change{GUID: v.GUID, Gone: true})
		}
		if err := oslo.j.Apply(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
		if oslo.user("1003") != "" {
			t.Fatal("the copy was not spoiled")
		}
		l.cut()
		l.mend()
		until(t, 10*time.Second, settled(c, lyon, oslo))
		everybody(t, c, lyon, oslo)
		if n := count(t, oslo.j, protocol.EventMended); n != 1 {
			t.Errorf("mended %d times", n)
		}
	})
}

type syncer struct {
	mu    sync.Mutex
	asked []string
	err   error
}

func (s *syncer) SyncNow(_ context.Context, reader, by string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, reader+" by "+by)
	return s.err
}

func TestSyncSite(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(12)
		c := startCenter(t, file(dir, "roster.db"), l, "LYON", "OSLO")
		l.setCenter(c.x)
		readers := &syncer{}
		lyon := startSite(t, "LYON", file(dir, "lyon.db"), l.connect("LYON"), readers)
		until(t, 5*time.Second, settled(c, lyon))
		// The answer is lost twice; the order must be done once all the same.
		lose := 2
		l.mu.Lock()
		l.spoil = func(topic string) bool {
			if strings.HasSuffix(topic, "/up/done") && lose > 0 {
				lose--
				return false
			}
			return true
		}
		l.mu.Unlock()
		if err := c.x.SyncSite(t.Context(), "LYON", "front", "Ada"); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(readers.asked) != "[front by Ada]" {
			t.Errorf("asked: %v", readers.asked)
		}
		readers.err = errors.New("no reader of this name")
		if err := c.x.SyncSite(t.Context(), "LYON", "back", "Ada"); !errors.Is(err, exchange.ErrRefused) {
			t.Errorf("refused: %v", err)
		}
		if err := c.x.SyncSite(t.Context(), "OSLO", "", "Ada"); !errors.Is(err, exchange.ErrOffline) {
			t.Errorf("offline: %v", err)
		}
		lyon.close()
		c.close()
	})
}

func has(t *testing.T, c *center, sites []*site, ids ...int) {
	t.Helper()
	for _, n := range ids {
		id := fmt.Sprint(n)
		if c.user(id) != "Person "+id {
			t.Errorf("user %s at the center: %q", id, c.user(id))
		}
		for _, s := range sites {
			if s.user(id) != "Person "+id {
				t.Errorf("user %s at %s: %q", id, s.name, s.user(id))
			}
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
