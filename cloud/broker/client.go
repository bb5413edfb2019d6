package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"doorsync/protocol/wire"
)

// How the center connects to a broker and finds it again.
const (
	retryLeast   = 200 * time.Millisecond
	retryMost    = 800 * time.Millisecond
	keepAlive    = 10 * time.Second
	pingTimeout  = 5 * time.Second
	greetTimeout = 5 * time.Second
	writeTimeout = 10 * time.Second
)

// client is the center's own connection to a broker, whichever it is.
type client struct {
	url                          string
	id, username, password, name string
	topics                       wire.Topics
	qos                          byte
	tls                          *tls.Config
	log                          *slog.Logger
	now                          atomic.Pointer[mqtt.Client]
}

// run connects, and connects again, until ctx ends.
func (c *client) run(ctx context.Context, h Handler) error {
	said := ""
	for ctx.Err() == nil {
		err := c.connection(ctx, h)
		if ctx.Err() != nil {
			break
		}
		if h.Lost != nil {
			h.Lost(err)
		}
		if said != err.Error() {
			said = err.Error()
			c.log.Warn("broker not reachable; trying again", "broker", c.name, "error", err)
		}
		pause(ctx, retryLeast+rand.N(retryMost-retryLeast))
	}
	return nil
}

// connection lives through one connection.
func (c *client) connection(ctx context.Context, h Handler) error {
	lost := make(chan error, 1)
	p := mqtt.NewClient(c.options(h, lost))
	defer p.Disconnect(100)
	if err := wait(ctx, p.Connect()); err != nil {
		return fmt.Errorf("connect to broker %s: %w", c.name, err)
	}
	t := p.Subscribe(c.topics.AllUp(), c.qos, nil)
	if err := wait(ctx, t); err != nil {
		return fmt.Errorf("subscribe at broker %s: %w", c.name, err)
	}
	for topic, granted := range t.(*mqtt.SubscribeToken).Result() {
		if granted > 2 {
			return fmt.Errorf("subscribe at broker %s: %s was refused; give the center's user the right to read it", c.name, topic)
		}
	}
	c.now.Store(&p)
	defer c.now.Store(nil)
	c.log.Info("broker connected", "broker", c.name)
	if h.Connected != nil {
		h.Connected()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-lost:
		return fmt.Errorf("connection to broker %s lost: %w", c.name, err)
	}
}

func (c *client) options(h Handler, lost chan<- error) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(c.url).SetClientID(c.id)
	o.SetProtocolVersion(4).SetUsername(c.username).SetPassword(c.password)
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetConnectTimeout(greetTimeout).SetWriteTimeout(writeTimeout)
	if c.tls != nil {
		o.SetTLSConfig(c.tls)
	}
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { h.Heard(m.Topic(), m.Payload()) })
	return o
}

// publish hands a message to the connection there is.
func (c *client) publish(topic string, payload []byte) error {
	p := c.now.Load()
	if p == nil || !(*p).IsConnectionOpen() {
		return ErrNotConnected
	}
	(*p).Publish(topic, c.qos, false, payload)
	return nil
}

var errSilent = errors.New("no answer in time")

// wait waits for a token, not for ever.
func wait(ctx context.Context, t mqtt.Token) error {
	late := time.NewTimer(greetTimeout)
	defer late.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-late.C:
		return errSilent
	case <-ctx.Done():
		return ctx.Err()
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
