package broker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"

	"doorsync/protocol/wire"
)

// EmbeddedOptions of the broker inside the center. Listen, Dir and Sites are
// required.
type EmbeddedOptions struct {
	Listen string // host:port; port 0 picks a free one
	Dir    string // where it may keep its scratch folder, which is emptied at start
	Sites  Authenticator
	Topics wire.Topics
	Logger *slog.Logger
}

// Limits of the embedded broker.
const (
	maxPacket     = wire.MaxMessage + 1024
	maxPending    = 32 << 20 // waiting for one slow connection, which is then cut
	maxSubs       = 16       // of one connection
	scratchBytes  = 64 << 20
	startPatience = 10 * time.Second
	startLook     = 100 * time.Millisecond
	authPatience  = 5 // seconds
)

// Embedded is a broker inside the center.
type Embedded struct {
	server  *nats.Server
	client  *client
	address string
	scratch string
	once    sync.Once
}

var _ Broker = (*Embedded)(nil)

// OpenEmbedded starts a broker; sites can connect when it returns.
func OpenEmbedded(o EmbeddedOptions) (*Embedded, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	scratch := filepath.Join(o.Dir, "broker")
	if err := os.RemoveAll(scratch); err != nil { // what it kept is of no use: sessions are clean
		return nil, fmt.Errorf("open broker: %w", err)
	}
	center := newGuard(o)
	opts, err := serverOptions(o, scratch, center)
	if err != nil {
		return nil, fmt.Errorf("open broker: %w", err)
	}
	server, err := nats.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("open broker: %w", err)
	}
	logs := &natsLog{log: o.Logger, fatal: make(chan string, 1)}
	server.SetLogger(logs, false, false)
	server.Start()
	e := &Embedded{server: server, scratch: scratch}
	if err := e.ready(logs); err != nil {
		_ = e.Close()
		return nil, fmt.Errorf("open broker: listen on %s: %w", o.Listen, err)
	}
	e.address = net.JoinHostPort(opts.MQTT.Host, strconv.Itoa(opts.MQTT.Port))
	e.client = &client{
		url: "tcp://" + loopback(e.address), name: "embedded", id: "doorsync-central-" + rand.Text()[:8],
		username: centerUser, password: center.password, topics: o.Topics, log: o.Logger,
	}
	return e, nil
}

func serverOptions(o EmbeddedOptions, scratch string, g *guard) (*nats.Options, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: must look like 0.0.0.0:1883", o.Listen)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %q is no port", o.Listen, port)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	mqttPort := int(n)
	if mqttPort == 0 {
		mqttPort = -1 // any free one
	}
	return &nats.Options{
		ServerName: "doorsync-central", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: scratch, JetStreamMaxMemory: scratchBytes, JetStreamMaxStore: scratchBytes,
		MaxPayload: maxPacket, MaxPending: maxPending, MaxSubs: maxSubs, AuthTimeout: authPatience,
		CustomClientAuthentication: g,
		MQTT:                       nats.MQTTOpts{Host: host, Port: mqttPort, AuthTimeout: authPatience, ConsumerMemoryStorage: true},
	}, nil
}

// ready waits until the broker listens, or has said why it cannot.
func (e *Embedded) ready(logs *natsLog) error {
	for end := time.Now().Add(startPatience); time.Now().Before(end); {
		ok := e.server.ReadyForConnections(startLook)
		select {
		case text := <-logs.fatal:
			return errors.New(text)
		default:
		}
		if ok {
			return nil
		}
	}
	return errors.New("not ready in time")
}

// loopback is where the center itself connects.
func loopback(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	switch ip := net.ParseIP(host); {
	case ip == nil || !ip.IsUnspecified():
	case ip.To4() != nil:
		host = "127.0.0.1"
	default:
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// Run hears every site until ctx ends.
func (e *Embedded) Run(ctx context.Context, h Handler) error { return e.client.run(ctx, h) }

// Publish hands a message to the broker.
func (e *Embedded) Publish(topic string, payload []byte) error {
	return e.client.publish(topic, payload)
}

// Address is where sites connect, with the port in effect.
func (e *Embedded) Address() string { return e.address }

// Close stops the broker and cuts off every site.
func (e *Embedded) Close() error {
	var err error
	e.once.Do(func() {
		e.server.Shutdown()
		e.server.WaitForShutdown()
		if rerr := os.RemoveAll(e.scratch); rerr != nil {
			err = fmt.Errorf("close broker: %w", rerr)
		}
	})
	return err
}
