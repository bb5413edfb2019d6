// Package cloud is the center: it opens the roster, lets the sites reach it
// through a broker, and people through an API.
package cloud

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"

	"golang.org/x/sync/errgroup"

	"doorsync/cloud/api"
	"doorsync/cloud/broker"
	"doorsync/cloud/config"
	"doorsync/cloud/exchange"
	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
	"doorsync/cloud/sources"
	"doorsync/protocol/wire"
)

// Options of a run that do not stand in the configuration.
type Options struct {
	Version string
	Logger  *slog.Logger // nil: discards
	// Started is called once everything answers, with the addresses in effect.
	Started func(Addresses)
}

// Addresses are where a running center can be reached.
type Addresses struct {
	Broker string // where sites connect
	API    string // host:port
}

// center is the parts of a running center.
type center struct {
	cfg      config.Config
	o        Options
	log      *slog.Logger
	roster   *roster.Roster
	broker   broker.Broker
	exchange *exchange.Exchange
	mail     *notify.Notifier
	importer *sources.Importer
	listener net.Listener
	token    api.Token
}

// Run runs the center until ctx ends or a part of it cannot go on.
func Run(ctx context.Context, cfg config.Config, o Options) (err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &center{cfg: cfg, o: o, log: o.Logger}
	end := teardown{log: c.log}
	defer func() { err = errors.Join(err, end.run()) }()
	for _, open := range []func(context.Context, *teardown) error{
		c.openRoster, c.openBroker, c.openExchange, c.openMail, c.openImporter, c.openAPI,
	} {
		if err := open(ctx, &end); err != nil {
			return err
		}
	}
	err = c.work(ctx)
	c.log.Info("center stopping")
	return err
}

func (c *center) openRoster(ctx context.Context, end *teardown) error {
	if err := os.MkdirAll(c.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	store, err := sqlstore.Open(ctx, c.cfg.Database(), sqlstore.Options{})
	if err != nil {
		return err
	}
	end.add("close roster", func(context.Context) error { return store.Close() })
	c.roster, err = roster.Open(ctx, store, roster.Options{Logger: c.log, DefaultMode: c.cfg.Mode})
	if err != nil {
		return err
	}
	return c.presetSites(ctx)
}

func (c *center) openBroker(_ context.Context, end *teardown) (err error) {
	b, topics := c.cfg.Broker, wire.Topics{Root: c.cfg.Broker.Root}
	if b.Embedded() {
		c.broker, err = broker.OpenEmbedded(broker.EmbeddedOptions{
			Listen: b.Listen, Dir: c.cfg.Data, Sites: c.roster, Topics: topics, Logger: c.log,
		})
	} else {
		c.broker, err = c.external(b, topics)
	}
	if err != nil {
		return err
	}
	end.add("close broker", func(context.Context) error { return c.broker.Close() })
	return nil
}

func (c *center) external(b config.Broker, topics wire.Topics) (broker.Broker, error) {
	password, err := b.Password()
	if err != nil {
		return nil, err
	}
	return broker.OpenExternal(broker.ExternalOptions{
		URL: b.URL, Username: b.Username, Password: password, Topics: topics, Logger: c.log,
	})
}

func (c *center) openExchange(context.Context, *teardown) (err error) {
	c.exchange, err = exchange.New(exchange.Options{
		Roster: c.roster, Pipe: c.broker, Topics: wire.Topics{Root: c.cfg.Broker.Root}, Logger: c.log,
	})
	return err
}

func (c *center) openAPI(ctx context.Context, end *teardown) (err error) {
	if c.token, err = api.OpenToken(c.cfg.API.TokenFile); err != nil {
		return err
	}
	var listen net.ListenConfig
	if c.listener, err = listen.Listen(ctx, "tcp", c.cfg.API.Listen); err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	end.add("close API", func(context.Context) error {
		if err := c.listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	if a, ok := c.listener.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		c.log.Warn("the API is open to the network without encryption; keep it on 127.0.0.1, or behind a proxy with TLS", "listen", a.String())
	}
	return nil
}

// work runs the parts until ctx ends or one of them cannot go on.
func (c *center) work(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.roster.Run(ctx) })
	g.Go(func() error { return c.exchange.Run(ctx) })
	g.Go(func() error { return c.mail.Run(ctx) })
	g.Go(func() error { return c.importer.Run(ctx) })
	g.Go(func() error {
		return c.broker.Run(ctx, broker.Handler{Heard: c.exchange.Heard, Connected: c.exchange.Connected, Lost: c.exchange.Lost})
	})
	handler := c.handler(ctx)
	g.Go(func() error { return api.Serve(ctx, c.listener, handler, c.log) })
	at := Addresses{Broker: c.broker.Address(), API: c.listener.Addr().String()}
	c.log.Info("center started", "version", c.o.Version, "broker", at.Broker, "api", at.API, "data", c.cfg.Data)
	if c.o.Started != nil {
		c.o.Started(at)
	}
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (c *center) handler(ctx context.Context) http.Handler {
	return api.New(api.Options{
		Roster: c.roster, Exchange: sites{c.exchange}, Importer: imports{c.importer, c.roster, c.mail}, Outbox: outbox{c.mail},
		Token: c.token, Version: c.o.Version,
		Broker: c.broker.Address(), Closing: ctx.Done(), Logger: c.log,
	})
}

// sites is the exchange as the API asks it.
type sites struct{ *exchange.Exchange }

// SyncSite says in the API's own words why a site cannot be asked.
func (s sites) SyncSite(ctx context.Context, site, reader, by string) error {
	err := s.Exchange.SyncSite(ctx, site, reader, by)
	switch {
	case errors.Is(err, exchange.ErrOffline):
		return fmt.Errorf("sync %s: %w", site, api.ErrOffline)
	case errors.Is(err, exchange.ErrRefused):
		return fmt.Errorf("%w: %w", api.ErrRefused, err)
	default:
		return err
	}
}
