// Package e2e_test runs whole installations of real processes and does to them
// what happens to installations: power cuts, full disks, damaged files, restored
// copies, strangers on the broker.
package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorsync/cloud/api/client"
	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/packaging/rig"
)

// programs are built once for all tests.
var programs = sync.OnceValues(func() (rig.Programs, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	return rig.Build(ctx, filepath.Join("..", "..", "build", "e2e"), buildFlags()...)
})

// world is one installation: a center, sites, one terminal at each, and the
// test's own list of who must be known everywhere.
type world struct {
	t         *testing.T
	ctx       context.Context
	programs  rig.Programs
	dir       string
	center    *rig.Center
	broker    *rig.Mosquitto // nil: the center's own
	sites     map[string]*rig.Site
	terminals map[string]*zksim.Terminal
	ahead     map[string]*atomic.Int64 // how far ahead the terminals' clocks are

	mu   sync.Mutex
	want map[string]string // user ID -> name
}

// newWorld prepares an installation; nothing runs yet but the terminals.
func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	p, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	w := &world{t: t, ctx: ctx, programs: p, dir: t.TempDir(), sites: map[string]*rig.Site{}, terminals: map[string]*zksim.Terminal{}, ahead: map[string]*atomic.Int64{}, want: map[string]string{}}
	if w.center, err = rig.NewCenter(p, filepath.Join(w.dir, "central"), names...); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		w.ahead[name] = new(atomic.Int64)
		w.terminals[name] = startTerminal(t, name, w.ahead[name])
		w.sites[name], err = rig.NewSite(p, name, filepath.Join(w.dir, name), w.center.Broker, w.center.KeyFile(name),
			rig.Zk("front", w.terminals[name].Addr()))
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		w.end()
		cancel()
	})
	return w
}

// external puts a Mosquitto between the center and the sites.
func (w *world) external() {
	w.t.Helper()
	passwords := map[string]string{"central": "central-password"}
	for name, s := range w.sites {
		passwords[name] = "key-of-" + name
		s.KeyFile = filepath.Join(w.dir, name+".mosquitto-key")
		w.must(os.WriteFile(s.KeyFile, []byte(passwords[name]), 0o600))
	}
	var err error
	w.broker, err = rig.NewMosquitto(w.ctx, filepath.Join(w.dir, "mosquitto"), filepath.Join("..", "..", "configs"), passwords)
	w.must(err)
	w.must(w.broker.Start(w.ctx))
	w.center.External, w.center.Password = "mqtt://"+w.broker.Addr, passwords["central"]
	for _, s := range w.sites {
		s.Broker = w.broker.Addr
	}
}

// start runs the center and all sites and waits until they answer.
func (w *world) start() {
	w.t.Helper()
	w.must(w.center.Start(w.ctx))
	for _, s := range w.sites {
		w.must(s.Start(w.ctx))
	}
}

// end stops everything, and shows the logs when the test has failed.
func (w *world) end() {
	all := []*rig.Process{}
	for _, name := range slices.Sorted(maps.Keys(w.sites)) {
		all = append(all, w.sites[name].Process)
	}
	all = append(all, w.center.Process)
	if w.broker != nil {
		all = append(all, w.broker.Process)
	}
	for _, p := range all {
		if p == nil {
			continue
		}
		if err := p.Stop(); err != nil {
			w.t.Error(err)
		}
		if race := p.From("WARNING: DATA RACE", 40); race != "" {
			w.t.Errorf("%s: %s", p.Name, race)
		}
		if w.t.Failed() {
			w.t.Logf("the end of what %s printed:\n%s", p.Name, p.Tail(25))
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// enroll adds somebody at a site's terminal, as at its keys.
func (w *world) enroll(site, id, name string) {
	w.t.Helper()
	w.must(w.terminals[site].Enroll(person(id, name)))
	w.expect(id, name)
}

func (w *world) expect(id, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.want[id] = name
}

func person(id, name string) zksim.Person {
	return zksim.Person{ID: id, Name: name, Card: card(id)}
}

// card gives everybody a card of their own.
func card(id string) uint32 {
	var n uint32
	if _, err := fmt.Sscanf(id, "%d", &n); err != nil {
		return 0
	}
	return 1_000_000 + n
}

// atTerminal is what a terminal holds now.
func (w *world) atTerminal(site string) map[string]string {
	out := map[string]string{}
	for _, p := range w.terminals[site].List() {
		out[p.ID] = p.Name
	}
	return out
}

// atCenter is what the roster holds now.
func (w *world) atCenter() (map[string]string, error) {
	out := map[string]string{}
	for after := ""; ; {
		page, err := w.center.Users(w.ctx, client.UserQuery{After: after, Limit: 200})
		if err != nil {
			return nil, err
		}
		for _, u := range page.Users {
			if _, twice := out[u.ID]; twice {
				return nil, fmt.Errorf("user %s is twice in the roster", u.ID)
			}
			out[u.ID] = u.Name
		}
		if after = page.Next; after == "" {
			return out, nil
		}
	}
}

// agree waits until the roster and all terminals hold exactly who is wanted.
func (w *world) agree(within time.Duration) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, within)
	defer cancel()
	w.mu.Lock()
	want := maps.Clone(w.want)
	w.mu.Unlock()
	difference := ""
	err := rig.Until(ctx, "agreement", func(context.Context) bool {
		center, err := w.atCenter()
		if err != nil {
			difference = err.Error()
			return false
		}
		if difference = differs("the roster", want, center); difference != "" {
			return false
		}
		for site := range w.terminals {
			if difference = differs("the terminal of "+site, want, w.atTerminal(site)); difference != "" {
				return false
			}
		}
		return true
	})
	if err != nil {
		w.t.Fatalf("no agreement within %v: %s", within, difference)
	}
}

// differs names the first difference in words.
func differs(where string, want, got map[string]string) string {
	var missing, wrong, extra []string
	for id, name := range want {
		switch held, ok := got[id]; {
		case !ok:
			missing = append(missing, id)
		case held != name:
			wrong = append(wrong, fmt.Sprintf("%s is %q, not %q", id, held, name))
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			extra = append(extra, id)
		}
	}
	if len(missing)+len(wrong)+len(extra) == 0 {
		return ""
	}
	slices.Sort(missing)
	slices.Sort(extra)
	return fmt.Sprintf("%s lacks %v, has too many %v, differs in %v (%d wanted, %d there)", where, missing, extra, wrong, len(want), len(got))
}

func startTerminal(t *testing.T, name string, ahead *atomic.Int64) *zksim.Terminal {
	t.Helper()
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	terminal, err := zksim.New(zksim.Options{Serial: "SIM-" + name, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if err := terminal.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- terminal.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("terminal of %s: %v", name, err)
		}
	})
	return terminal
}
