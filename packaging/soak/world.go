package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/packaging/rig"
)

// The installation: two sites with two terminals and a controller each.
func siteNames() []string     { return []string{"LYON", "OSLO"} }
func terminalNames() []string { return []string{"front", "back"} }

// Each site has a controller as well, which holds everybody's card and nobody's
// name.
const (
	gate       = "gate"
	gateSerial = 405_000_001
)

// Parts that are killed and looked at are named after their site, or so.
const (
	center    = "center"
	mosquitto = "mosquitto"
)

// goPrograms are our own ones, the center first.
func goPrograms() []string { return append([]string{center}, siteNames()...) }

// Sizes of the small disks, in MiB: enough for the traffic of an hour.
const (
	siteDisk   = 96
	centerDisk = 192
)

// world is everything that runs, and what was done to it.
type world struct {
	options
	programs  rig.Programs
	line      *timeline
	people    *people
	wan       *wan
	center    *rig.Center
	office    *client.Client
	broker    *rig.Mosquitto
	sites     map[string]*rig.Site
	terminals map[string]*rig.Terminals
	decks     decks
	parts     []*program // everything that is killed and looked at
	// calm is held, shared, by whoever breaks something; who holds it alone
	// knows that nothing is broken but what it broke itself.
	calm sync.RWMutex
}

// build sets everything up; nothing runs yet but the terminals.
func build(ctx context.Context, o options) (*world, error) {
	line, err := newTimeline(o.dir)
	if err != nil {
		return nil, err
	}
	w := &world{options: o, line: line, people: newPeople(), decks: newDecks(), sites: map[string]*rig.Site{}, terminals: map[string]*rig.Terminals{}}
	if w.wan, err = newWAN(ctx, siteNames()); err != nil {
		return w, err
	}
	name := func(program string) string { return filepath.Join(bin(o.dir), program) }
	w.programs = rig.Programs{Central: name("doorsync-central"), Agent: name("doorsync-agent"), ReaderSim: name("doorsync-readersim")}
	if err := w.buildCenter(ctx); err != nil {
		return w, err
	}
	for _, site := range siteNames() {
		if err := w.buildSite(ctx, site); err != nil {
			return w, err
		}
	}
	return w, w.buildBroker(ctx)
}

func (w *world) buildCenter(ctx context.Context) error {
	var err error
	if w.center, err = rig.NewCenter(w.programs, filepath.Join(w.dir, "central"), siteNames()...); err != nil {
		return err
	}
	w.center.Broker = office + ":1883"
	w.parts = append(w.parts, &program{name: center, line: w.line, start: func() (*rig.Process, error) {
		err := w.center.Run()
		return w.center.Process, err
	}})
	return smallDisk(ctx, w.data(center), centerDisk)
}

func (w *world) buildSite(ctx context.Context, site string) error {
	programs, err := w.inside(site)
	if err != nil {
		return err
	}
	t, err := rig.StartReaders(ctx, programs, filepath.Join(w.dir, "terminals-"+site), map[string]uint32{gate: gateSerial}, terminalNames()...)
	if err != nil {
		return err
	}
	w.terminals[site] = t
	var readers []string
	for _, name := range terminalNames() {
		readers = append(readers, rig.Zk(name, t.Addr(name), "poll: 1s", "resync: 1m"))
	}
	readers = append(readers, rig.Uhppote(gate, t.Addr(gate), gateSerial, "poll: 1s", "resync: 1m"))
	s, err := rig.NewSite(programs, site, filepath.Join(w.dir, site), w.center.Broker, w.center.KeyFile(site), readers...)
	if err != nil {
		return err
	}
	w.sites[site] = s
	w.parts = append(w.parts, &program{name: site, line: w.line, start: func() (*rig.Process, error) {
		err := s.Run()
		return s.Process, err
	}})
	return smallDisk(ctx, w.data(site), siteDisk)
}

// inside are the programs as a site starts them: within its namespace.
func (w *world) inside(site string) (rig.Programs, error) {
	p := w.programs
	for _, program := range []*string{&p.Agent, &p.ReaderSim} {
		path, text := into(site, *program, bin(w.dir))
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil { //nolint:gosec // it must be executable
			return p, fmt.Errorf("prepare site %s: %w", site, err)
		}
		*program = path
	}
	return p, nil
}

// data is where a program keeps what it must not lose.
func (w *world) data(part string) string {
	if part == center {
		return filepath.Join(w.dir, "central", "data")
	}
	return filepath.Join(w.dir, part, "data")
}

func (w *world) part(name string) *program {
	for _, p := range w.parts {
		if p.name == name {
			return p
		}
	}
	return nil
}

// start brings up the center and the sites, in that order the first time: the
// center makes the sites' keys.
func (w *world) start(ctx context.Context) error {
	if err := os.Setenv("GODEBUG", traced); err != nil {
		return fmt.Errorf("trace heaps: %w", err)
	}
	if err := w.center.Start(ctx); err != nil {
		return err
	}
	w.office = w.center.Client
	// From here on the program is started and stopped as one of the parts.
	if err := w.center.Stop(); err != nil {
		return err
	}
	for _, name := range goPrograms() {
		if err := w.part(name).up(); err != nil {
			return err
		}
	}
	if err := w.linked(ctx); err != nil {
		return err
	}
	// The last edit counts, whoever made it: then what must be is what was done
	// last.
	_, err := w.office.SetSources(ctx, api.Sources{Order: []string{"readers", "office"}, Settle: "latest"})
	return err
}

// linked waits until all sites are connected.
func (w *world) linked(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return rig.Until(ctx, "a link to each site", func(ctx context.Context) bool {
		sites, err := w.office.Sites(ctx)
		online := 0
		for _, s := range sites {
			if s.Online {
				online++
			}
		}
		return err == nil && online == len(w.sites)
	})
}

// buildBroker prepares the Mosquitto of the second half.
func (w *world) buildBroker(ctx context.Context) error {
	passwords := map[string]string{"central": "central-password"}
	for _, site := range siteNames() {
		passwords[site] = "key-of-" + site
		if err := os.WriteFile(w.keyFile(site), []byte(passwords[site]), 0o600); err != nil {
			return fmt.Errorf("write key: %w", err)
		}
	}
	w.center.Password = passwords["central"]
	var err error
	dir := filepath.Join(w.dir, "mosquitto")
	if w.broker, err = rig.NewMosquitto(ctx, dir, "configs", passwords); err != nil {
		return err
	}
	w.parts = append(w.parts, &program{name: mosquitto, line: w.line, start: func() (*rig.Process, error) {
		err := w.broker.Run()
		return w.broker.Process, err
	}})
	return listenOn(w.broker, filepath.Join(dir, "mosquitto.conf"), office)
}

func (w *world) keyFile(site string) string { return filepath.Join(w.dir, site+".mosquitto-key") }

// external puts Mosquitto in the place of the center's own broker. Programs
// that run go on with what they were started with.
func (w *world) external() error {
	for name, s := range w.sites {
		s.KeyFile, s.Broker = w.keyFile(name), w.broker.Addr
	}
	w.center.External = "mqtt://" + w.broker.Addr
	return w.part(mosquitto).up()
}

// listenOn has Mosquitto listen where sites reach it.
func listenOn(m *rig.Mosquitto, conf, address string) error {
	text, err := os.ReadFile(conf)
	if err != nil {
		return fmt.Errorf("configure mosquitto: %w", err)
	}
	changed := strings.ReplaceAll(string(text), " 127.0.0.1\n", " "+address+"\n")
	if changed == string(text) {
		return errors.New("configure mosquitto: no listener found to move")
	}
	m.Addr = strings.Replace(m.Addr, "127.0.0.1", address, 1)
	return os.WriteFile(conf, []byte(changed), 0o600)
}

// rest waits between two acts, and tells whether to stop acting.
func (w *world) rest(ctx context.Context, stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return true
	case <-stop:
		return true
	case <-timer.C:
		return false
	}
}

// end stops whatever runs.
func (w *world) end() error {
	var errs []error
	for _, p := range w.parts {
		if process, _ := p.now(); process != nil {
			errs = append(errs, process.Stop())
		}
	}
	for _, t := range w.terminals {
		errs = append(errs, t.Stop())
	}
	return errors.Join(append(errs, w.line.close())...)
}
