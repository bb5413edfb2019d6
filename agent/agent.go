// Package agent is the program at a site: it opens the journal, keeps every
// reader in line with it, and carries it to the center and back.
package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/agent/config"
	"doorsync/agent/console"
	"doorsync/agent/journal"
	"doorsync/agent/reader"
	"doorsync/agent/uplink"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Options of a run that do not stand in the configuration.
type Options struct {
	Version string
	Logger  *slog.Logger
	// Driver makes the driver of a reader.
	Driver func(driver.Config) (driver.Driver, error)
}

// agent is the parts of a running agent.
type agent struct {
	cfg     config.Config
	o       Options
	log     *slog.Logger
	codec   *wire.Codec
	journal *journal.Journal
	readers *readers
	uplink  *uplink.Uplink // nil: no center
	console *console.Server
	writer  *writer
}

// writer is the journal's, while it runs.
type writer struct {
	ended chan struct{}
	err   error // once ended
}

// Run runs the agent until ctx ends or the journal cannot be written to any
// more.
func Run(ctx context.Context, cfg config.Config, o Options) (err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &agent{cfg: cfg, o: o, log: o.Logger}
	end := teardown{log: a.log}
	defer func() { err = errors.Join(err, end.run()) }()
	if err := a.openJournal(ctx, &end); err != nil {
		return err
	}
	if err := a.build(); err != nil {
		return err
	}
	if err := a.tell(ctx, protocol.EventStarted, "version "+o.Version+" on "+runtime.GOOS+"/"+runtime.GOARCH); err != nil {
		return err
	}
	end.add("journal that the agent stopped", func(ctx context.Context) error {
		return a.tell(ctx, protocol.EventStopped, "")
	})
	a.log.Info("agent started", "site", cfg.Site, "readers", len(cfg.Readers), "center", cfg.Center.Broker)
	err = a.work(ctx)
	a.log.Info("agent stopping")
	return err
}

// openJournal opens the journal and starts its writer.
func (a *agent) openJournal(ctx context.Context, end *teardown) error {
	var err error
	if a.codec, err = wire.NewCodec(); err != nil {
		return err
	}
	if err := os.MkdirAll(a.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	a.journal, err = journal.Open(a.cfg.Path(), JournalOptions(a.cfg, a.log))
	if err != nil {
		return err
	}
	end.add("close journal", func(context.Context) error { return a.journal.Close() })
	writing, stop := context.WithCancel(context.WithoutCancel(ctx))
	w := &writer{ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		w.err = a.journal.Run(writing)
	}()
	a.writer = w
	end.add("end journal writer", func(context.Context) error {
		stop()
		<-w.ended
		return w.err
	})
	return nil
}

// JournalOptions are the options with which the site's journal is opened.
func JournalOptions(cfg config.Config, log *slog.Logger) journal.Options {
	retain := cfg.Journal.Retain
	if retain == 0 {
		retain = forever
	}
	return journal.Options{Site: cfg.Site, Retain: retain, Logger: log}
}

// forever is how long entries are kept that are never to be removed.
const forever = 200 * 365 * 24 * time.Hour

// build makes the parts; nothing is connected yet.
func (a *agent) build() error {
	var err error
	if a.readers, err = newReaders(a); err != nil {
		return err
	}
	if a.cfg.Center.Configured() {
		if err := a.buildUplink(); err != nil {
			return err
		}
	}
	o := console.Options{
		Path: a.cfg.Control, Site: a.cfg.Site, Version: a.o.Version, Mode: a.mode,
		Journal: a.journal, Roster: a.journal, Readers: a.readers, Logger: a.log,
	}
	if a.uplink != nil {
		o.Center, o.Tap = func() any { return a.uplink.Status() }, a.uplink.Tap
	}
	a.console = console.New(o)
	return nil
}

func (a *agent) buildUplink() error {
	c := a.cfg.Center
	connect, err := uplink.MQTT(uplink.MQTTOptions{
		URL: c.Broker, Site: a.cfg.Site, Username: c.Username, Password: c.Key, Topics: wire.Topics{Root: c.Root},
	})
	if err != nil {
		return err
	}
	a.uplink, err = uplink.New(uplink.Options{
		Site: a.cfg.Site, Connect: connect, Outbox: a.journal, Copy: a.journal, Log: a.journal,
		Readers: a.readers, Syncer: a.readers, Groups: groups(a.cfg), Mode: a.cfg.Mode,
		Version: a.o.Version, Logger: a.log,
	})
	return err
}

// work runs the parts until ctx ends or one of them cannot go on.
func (a *agent) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range a.readers.all {
		g.Go(func() error { return r.Run(ctx) })
	}
	g.Go(func() error { return a.readers.run(ctx) })
	g.Go(func() error { return a.watchClock(ctx, wallClock) })
	g.Go(func() error { return a.needJournal(ctx) })
	g.Go(func() error { return a.console.Run(ctx) })
	if a.uplink != nil {
		g.Go(func() error { return a.uplink.Run(ctx) })
	}
	return g.Wait()
}

// needJournal ends the agent when its journal can take nothing more.
func (a *agent) needJournal(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-a.writer.ended:
		return fmt.Errorf("the journal's writer ended: %w", cmp.Or(a.writer.err, journal.ErrClosed))
	}
}

// tell journals an event of the agent itself.
func (a *agent) tell(ctx context.Context, e protocol.Event, detail string) error {
	_, err := a.journal.Append(ctx, journal.Batch{Drafts: []journal.Draft{{Event: e, Detail: detail}}})
	return err
}

// mode is the sync mode in effect.
func (a *agent) mode() string {
	if a.cfg.Mode != "" {
		return a.cfg.Mode
	}
	return a.journal.Settings().Mode
}

// groups are the access groups that open a door at the site.
func groups(cfg config.Config) []string {
	var out []string
	for _, r := range cfg.Readers {
		out = append(out, r.Groups...)
		for _, g := range r.Doors {
			out = append(out, g...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// readerOptions are the options of one reader's session.
func (a *agent) readerOptions(c config.Reader) (reader.Options, error) {
	dc := c.DriverConfig()
	dc.Logger = a.log.With("reader", c.Name)
	d, err := a.o.Driver(dc)
	if err != nil {
		return reader.Options{}, fmt.Errorf("reader %s: %w", c.Name, err)
	}
	o := reader.Options{
		Name: c.Name, Driver: c.Driver, Address: c.Address, Open: d.Open,
		Journal: a.journal, Codec: a.codec, Logger: a.log,
		Mode: a.cfg.Mode, Groups: c.Groups, Doors: c.Doors,
		EnrollmentGroup: a.cfg.EnrollmentGroup, OwnID: a.cfg.OwnIDs().Contains,
		Leave: c.DeletedAtReader == config.Leave, LeaveCards: c.UnknownCards == config.Leave,
		Resync: c.Resync, Poll: c.Poll,
	}
	if c.Show != "" {
		if o.Show, err = driver.ParseTemplate(c.Show); err != nil {
			return reader.Options{}, fmt.Errorf("reader %s: show: %w", c.Name, err)
		}
	}
	if a.cfg.Center.Configured() {
		o.FirstRoster = a.cfg.FirstRoster
	}
	return o, nil
}

// Socket is the path of the control socket, made absolute so that messages name
// it whole.
func Socket(cfg config.Config) string {
	if abs, err := filepath.Abs(cfg.Control); err == nil {
		return abs
	}
	return cfg.Control
}

// patience is how long a step of the teardown may take.
const patience = 5 * time.Second
