package broker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/url"

	"doorsync/protocol/wire"
)

// ExternalOptions say where a broker of yours is and how to pass it. Whom it
// lets in, and what each may read and write, is its own affair.
type ExternalOptions struct {
	URL      string // mqtt://host:1883, or mqtts:// with TLS
	Username string
	Password string
	Topics   wire.Topics
	TLS      *tls.Config // for mqtts; nil: the system's roots
	QoS      byte        // 0 loses nothing that 1 would keep: all is confirmed end to end
	Logger   *slog.Logger
}

// External is a broker outside the center.
type External struct{ client *client }

var _ Broker = (*External)(nil)

// OpenExternal checks the options; Run connects.
func OpenExternal(o ExternalOptions) (*External, error) {
	where, err := url.Parse(o.URL)
	if err != nil || where.Host == "" {
		return nil, fmt.Errorf("broker address %q: must look like mqtt://host:1883", o.URL)
	}
	port := "1883"
	switch where.Scheme {
	case "mqtt", "tcp":
		where.Scheme, o.TLS = "tcp", nil
	case "mqtts", "ssl", "tls":
		where.Scheme, port = "ssl", "8883"
		if o.TLS == nil {
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	default:
		return nil, fmt.Errorf("broker address %q: unknown scheme %q, use mqtt or mqtts", o.URL, where.Scheme)
	}
	if where.Port() == "" {
		where.Host += ":" + port
	}
	where.User = nil
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &External{client: &client{
		url: where.String(), name: where.Host, id: "doorsync-central-" + rand.Text()[:8],
		username: o.Username, password: o.Password, topics: o.Topics, qos: o.QoS, tls: o.TLS, log: o.Logger,
	}}, nil
}

// Run hears every site until ctx ends.
func (e *External) Run(ctx context.Context, h Handler) error { return e.client.run(ctx, h) }

// Publish hands a message to the broker.
func (e *External) Publish(topic string, payload []byte) error {
	return e.client.publish(topic, payload)
}

// Address is where sites connect, as far as the center knows.
func (e *External) Address() string { return e.client.url }

// Close does nothing: the broker is not ours.
func (e *External) Close() error { return nil }
