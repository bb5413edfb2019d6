package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"doorsync/protocol/wire"
)

// MQTTOptions say where the broker is and how to pass it.
type MQTTOptions struct {
	URL      string // mqtt://host:1883, or mqtts:// with TLS
	Site     string
	Username string // "": the site's name
	Password string // the site's key
	Topics   wire.Topics
	TLS      *tls.Config // for mqtts; nil: the system's roots
	// QoS of all messages. Every message is confirmed end to end, so that 0, the
	// default, loses nothing that 1 would keep.
	QoS byte
}

// Patience with a broker that has picked up.
const (
	keepAlive    = 10 * time.Second
	pingTimeout  = 5 * time.Second
	greetTimeout = 5 * time.Second
	writeTimeout = 10 * time.Second
)

// MQTT returns the Connect of a broker that speaks MQTT 3.1.1.
func MQTT(o MQTTOptions) (Connect, error) {
	where, err := url.Parse(o.URL)
	if err != nil || where.Host == "" {
		return nil, fmt.Errorf("broker address %q: must look like mqtt://host:1883", o.URL)
	}
	if o.Username == "" {
		o.Username = o.Site
	}
	b := &broker{MQTTOptions: o, dial: plainDialer()}
	switch where.Scheme {
	case "mqtt", "tcp":
		b.address = withPort(where, "1883")
	case "mqtts", "ssl", "tls":
		b.address, b.secure = withPort(where, "8883"), true
		if b.TLS == nil {
			b.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	default:
		return nil, fmt.Errorf("broker address %q: unknown scheme %q, use mqtt or mqtts", o.URL, where.Scheme)
	}
	return b.connect, nil
}

func withPort(u *url.URL, port string) string {
	if p := u.Port(); p != "" {
		port = p
	}
	return net.JoinHostPort(u.Hostname(), port)
}

type broker struct {
	MQTTOptions
	address string
	secure  bool
	dial    dialer
}

func (b *broker) connect(ctx context.Context, c Call) (Link, error) {
	conn, err := b.dial.call(ctx, b.address)
	if err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	if b.secure {
		if conn, err = b.handshake(ctx, conn); err != nil {
			return nil, fmt.Errorf("connect to broker: %w", err)
		}
	}
	l := &mqttLink{broker: b, lost: make(chan struct{})}
	l.client = mqtt.NewClient(b.options(c, l, conn))
	if err := l.greet(ctx, c); err != nil {
		l.client.Disconnect(0)
		_ = conn.Close()
		return nil, fmt.Errorf("connect to broker %s: %w", b.address, err)
	}
	return l, nil
}

func (b *broker) handshake(ctx context.Context, conn net.Conn) (net.Conn, error) {
	cfg := b.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(b.address)
	}
	secured := tls.Client(conn, cfg)
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

func (b *broker) options(c Call, l *mqttLink, conn net.Conn) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions()
	o.AddBroker("tcp://" + b.address) // only a name here: the connection is handed in
	o.SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return conn, nil })
	// Some brokers take no dot in a client ID. The session makes it unique: two
	// connections of one site, the older half dead, do not cut each other off.
	o.SetClientID("doorsync-" + strings.ReplaceAll(b.Site, ".", "_") + "-" + c.Session[:min(8, len(c.Session))])
	o.SetProtocolVersion(4)
	o.SetUsername(b.Username).SetPassword(b.Password)
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(true)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetConnectTimeout(greetTimeout).SetWriteTimeout(writeTimeout)
	o.SetBinaryWill(b.Topics.Up(b.Site, wire.KindPresence), c.Will, b.QoS, false)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) { l.lose(err) })
	down := len(b.Topics.Down(b.Site, ""))
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		if t := m.Topic(); len(t) > down {
			c.Heard(wire.Kind(t[down:]), m.Payload())
		}
	})
	return o
}

// mqttLink is one connection to a broker.
type mqttLink struct {
	broker *broker
	client mqtt.Client
	once   sync.Once
	lost   chan struct{}
	why    error
}

func (l *mqttLink) greet(ctx context.Context, c Call) error {
	if err := wait(ctx, l.client.Connect()); err != nil {
		return err
	}
	t := l.client.Subscribe(l.broker.Topics.AllDown(l.broker.Site), l.broker.QoS, nil)
	if err := wait(ctx, t); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for topic, granted := range t.(*mqtt.SubscribeToken).Result() {
		if granted > 2 {
			return fmt.Errorf("subscribe to %s: refused; give site %s the right to read its own branch", topic, l.broker.Site)
		}
	}
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

func (l *mqttLink) lose(err error) {
	l.once.Do(func() {
		l.why = err
		close(l.lost)
	})
}

// Publish hands a message to the connection. It may wait while the line is
// full, which keeps the queue in front of it short.
func (l *mqttLink) Publish(k wire.Kind, payload []byte) error {
	if !l.client.IsConnectionOpen() {
		return ErrNotConnected
	}
	l.client.Publish(l.broker.Topics.Up(l.broker.Site, k), l.broker.QoS, false, payload)
	return nil
}

func (l *mqttLink) Lost() <-chan struct{} { return l.lost }

func (l *mqttLink) Why() error { return l.why }

// Close ends the connection politely: the last will is not published.
func (l *mqttLink) Close() {
	l.client.Disconnect(100)
	l.lose(ErrNotConnected)
}
