package uplink

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"doorsync/protocol/wire"
)

// smallBroker is the other end of one MQTT connection, as bad as the test wants
// it.
type smallBroker struct {
	refuse byte   // what a connect is answered with, 0 for welcome
	denied bool   // subscriptions are refused
	mute   string // what is not answered: connect, subscribe, ping

	mu     sync.Mutex
	conn   net.Conn
	hello  *packets.ConnectPacket
	topics []string
	got    []*packets.PublishPacket
	polite bool // the client has said goodbye
	ended  chan struct{}
}

// serve answers until the connection ends.
func (s *smallBroker) serve(conn net.Conn) {
	defer close(s.ended)
	defer conn.Close()
	s.mu.Lock()
	s.conn = conn
	s.mu.Unlock()
	for {
		p, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		if answer := s.answer(p); answer != nil {
			if err := answer.Write(conn); err != nil {
				return
			}
		}
	}
}

func (s *smallBroker) answer(p packets.ControlPacket) packets.ControlPacket {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch p := p.(type) {
	case *packets.ConnectPacket:
		s.hello = p
		if s.mute != "connect" {
			a := packets.NewControlPacket(packets.Connack).(*packets.ConnackPacket)
			a.ReturnCode = s.refuse
			return a
		}
	case *packets.SubscribePacket:
		s.topics = append(s.topics, p.Topics...)
		if s.mute != "subscribe" {
			a := packets.NewControlPacket(packets.Suback).(*packets.SubackPacket)
			a.MessageID, a.ReturnCodes = p.MessageID, []byte{0}
			if s.denied {
				a.ReturnCodes = []byte{0x80}
			}
			return a
		}
	case *packets.PublishPacket:
		s.got = append(s.got, p)
	case *packets.PingreqPacket:
		if s.mute != "ping" {
			return packets.NewControlPacket(packets.Pingresp)
		}
	case *packets.DisconnectPacket:
		s.polite = true
	}
	return nil
}

// send lets the broker pass a message on.
func (s *smallBroker) send(t *testing.T, topic string, payload []byte) {
	t.Helper()
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.TopicName, p.Payload = topic, payload
	if err := p.Write(s.conn); err != nil {
		t.Error(err)
	}
}

// client is what calls the broker, over a line in memory; wrap is put around
// the broker's end.
func (s *smallBroker) client(wrap func(net.Conn) net.Conn) *broker {
	s.ended = make(chan struct{})
	return &broker{
		MQTTOptions: MQTTOptions{Site: "LYON.A", Username: "LYON.A", Password: "a key"},
		address:     "broker:1883",
		dial: func(context.Context, string) (net.Conn, error) {
			here, there := net.Pipe()
			go s.serve(wrap(there))
			return here, nil
		},
	}
}

func bare(c net.Conn) net.Conn { return c }

func TestMQTTConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &smallBroker{}
		type message struct {
			kind wire.Kind
			text string
		}
		heard := make(chan message, 8)
		l, err := s.client(bare).connect(t.Context(), Call{
			Session: "0123456789", Will: []byte("gone"),
			Heard: func(k wire.Kind, payload []byte) { heard <- message{k, string(payload)} },
		})
		if err != nil {
			t.Fatal(err)
		}
		h := s.hello
		if h.Username != "LYON.A" || string(h.Password) != "a key" || !h.CleanSession || strings.Contains(h.ClientIdentifier, ".") || !strings.HasSuffix(h.ClientIdentifier, "01234567") {
			t.Errorf("presents itself as %q, session %q, clean %v", h.Username, h.ClientIdentifier, h.CleanSession)
		}
		if up := (wire.Topics{}).Up("LYON.A", wire.KindPresence); !h.WillFlag || h.WillTopic != up || string(h.WillMessage) != "gone" || h.WillRetain {
			t.Errorf("last will %q under %q", h.WillMessage, h.WillTopic)
		}
		if len(s.topics) != 1 || s.topics[0] != (wire.Topics{}).AllDown("LYON.A") {
			t.Errorf("subscribes to %q", s.topics)
		}
		s.send(t, wire.Topics{}.Down("LYON.A", wire.KindConfirm), []byte("hi"))
		if m := <-heard; m.kind != wire.KindConfirm || m.text != "hi" {
			t.Errorf("heard %+v", m)
		}
		if err := l.Publish(wire.KindHello, []byte("ho")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if len(s.got) != 1 || s.got[0].TopicName != (wire.Topics{}).Up("LYON.A", wire.KindHello) || string(s.got[0].Payload) != "ho" || s.got[0].Retain {
			t.Errorf("published %v", s.got)
		}
		<-time.After(10 * keepAlive) // a quiet line is kept
		l.Close()
		<-s.ended
		<-l.Lost()
		if !s.polite {
			t.Error("the broker will publish the last will of a connection that was ended on purpose")
		}
		if err := l.Publish(wire.KindHello, nil); !errors.Is(err, ErrNotConnected) || !errors.Is(l.Why(), ErrNotConnected) {
			t.Errorf("after the end: %v, %v", err, l.Why())
		}
	})
}

// TestMQTTLineIsLost: whoever is at fault, it is noticed, and why is known.
func TestMQTTLineIsLost(t *testing.T) {
	for name, s := range map[string]*smallBroker{
		"broker hangs up": {}, "broker answers no more": {mute: "ping"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, err := s.client(bare).connect(t.Context(), Call{Session: "s", Heard: func(wire.Kind, []byte) {}})
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				if s.mute == "" {
					_ = s.conn.Close()
				}
				<-l.Lost()
				if took := time.Since(begun); took > 2*keepAlive+pingTimeout {
					t.Errorf("noticed after %v", took)
				}
				if l.Why() == nil || errors.Is(l.Why(), ErrNotConnected) {
					t.Errorf("why: %v", l.Why())
				}
				if err := l.Publish(wire.KindHello, nil); !errors.Is(err, ErrNotConnected) {
					t.Errorf("a message was taken: %v", err)
				}
				l.Close()
				<-s.ended
			})
		})
	}
}

// TestMQTTRefused: every way of not being let in says which, in bounded time,
// and leaves no connection behind.
func TestMQTTRefused(t *testing.T) {
	for _, c := range []struct {
		name, says string
		s          *smallBroker
		patience   time.Duration
	}{
		{"wrong key", "not Authorized", &smallBroker{refuse: packets.ErrRefusedNotAuthorised}, 0},
		{"no right to its own branch", "give site LYON.A the right to read its own branch", &smallBroker{denied: true}, 0},
		{"no answer to the greeting", "no answer in time", &smallBroker{mute: "connect"}, 0},
		{"no answer to the subscription", "subscribe: no answer in time", &smallBroker{mute: "subscribe"}, 0},
		{"nobody waits any longer", context.DeadlineExceeded.Error(), &smallBroker{mute: "connect"}, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := t.Context(), func() {}
				if c.patience > 0 {
					ctx, cancel = context.WithTimeout(ctx, c.patience)
				}
				defer cancel()
				begun := time.Now()
				_, err := c.s.client(bare).connect(ctx, Call{Session: "s"})
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v; must say %q", err, c.says)
				}
				if strings.Contains(err.Error(), "a key") {
					t.Errorf("the key is in %v", err)
				}
				if took := time.Since(begun); took > 2*greetTimeout {
					t.Errorf("took %v", took)
				}
				<-c.s.ended
			})
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		b := &broker{dial: func(context.Context, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF }}
		if _, err := b.connect(t.Context(), Call{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
}

// TestMQTTOverTLS: the broker must be the one that its certificate names.
func TestMQTTOverTLS(t *testing.T) {
	cert, roots := selfSigned(t, "broker")
	for _, c := range []struct {
		name, says string
		cfg        *tls.Config
		plain      bool
	}{
		{"known", "", &tls.Config{RootCAs: roots}, false},
		{"unknown", "certificate", &tls.Config{}, false},
		{"of another name", "certificate", &tls.Config{RootCAs: roots, ServerName: "other"}, false},
		{"without TLS", "deadline", &tls.Config{RootCAs: roots}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &smallBroker{}
				b := s.client(func(conn net.Conn) net.Conn {
					if c.plain {
						return silent{conn}
					}
					return tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
				})
				b.secure, b.TLS = true, c.cfg
				c.cfg.Time = func() time.Time { return time.Unix(1_700_000_000, 0) }
				l, err := b.connect(t.Context(), Call{Session: "s", Heard: func(wire.Kind, []byte) {}})
				if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%v; must say %q", err, c.says)
				}
				if err == nil {
					l.Close()
				}
				<-s.ended
			})
		})
	}
}

// silent reads what comes and never answers.
type silent struct{ net.Conn }

func (s silent) Read(b []byte) (int, error) {
	for {
		if _, err := s.Conn.Read(b); err != nil {
			return 0, err
		}
	}
}

func selfSigned(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(1_600_000_000, 0), NotAfter: time.Unix(1_800_000_000, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(nil, about, about, pub, key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(own)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// TestDialsOverRealSockets: the system takes the options of the dialer.
func TestDialsOverRealSockets(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := plainDialer().call(t.Context(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	_ = l.Close()
	if _, err := plainDialer().call(t.Context(), l.Addr().String()); err == nil {
		t.Error("somebody answered where nobody listens")
	}
}

// TestCallGivesUp: whoever calls can stop waiting.
func TestCallGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := dialer(func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.call(ctx, "broker:1883"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
