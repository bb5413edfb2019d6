package broker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"doorsync/protocol/wire"
)

type keys map[string]string

func (k keys) CheckKey(site, key string) bool { return key != "" && k[site] == key }

// heard collects messages.
type heard struct {
	mu   sync.Mutex
	all  []string
	wake chan struct{}
}

func newHeard() *heard { return &heard{wake: make(chan struct{}, 1)} }

func (h *heard) add(topic string, payload []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, fmt.Sprintf("%s=%s", topic, payload))
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *heard) waitFor(t *testing.T, want string) {
	t.Helper()
	late := time.After(5 * time.Second)
	for {
		h.mu.Lock()
		ok, all := slices.Contains(h.all, want), strings.Join(h.all, " ")
		h.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-h.wake:
		case <-late:
			t.Fatalf("%s was not heard, only: %s", want, all)
		}
	}
}

func (h *heard) never(t *testing.T, part string) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.all {
		if strings.Contains(m, part) {
			t.Errorf("heard %s", m)
		}
	}
}

func open(t *testing.T, o EmbeddedOptions) *Embedded {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Sites == nil {
		o.Sites = keys{"lyon": "k1", "oslo": "k2", "a.b": "k3"}
	}
	o.Dir = t.TempDir()
	b, err := OpenEmbedded(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// center runs the center's side until the test ends.
func center(t *testing.T, b Broker) *heard {
	t.Helper()
	h := newHeard()
	connected := make(chan struct{}, 16)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := b.Run(ctx, Handler{Heard: h.add, Connected: func() { connected <- struct{}{} }}); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	select {
	case <-connected:
	case <-time.After(10 * time.Second):
		t.Fatal("the center does not connect")
	}
	return h
}

func site(address, name, key string) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("tcp://" + address).SetClientID("test-" + strings.ReplaceAll(name, ".", "_")).
		SetUsername(name).SetPassword(key).SetAutoReconnect(false).SetCleanSession(true).SetConnectTimeout(5 * time.Second)
	o.SetBinaryWill("doorsync/v1/sites/"+name+"/up/presence", []byte("gone"), 0, false)
	c := mqtt.NewClient(o)
	tok := c.Connect()
	if !tok.WaitTimeout(5 * time.Second) {
		return nil, fmt.Errorf("no answer")
	}
	return c, tok.Error()
}

func mustSite(t *testing.T, address, name, key string) mqtt.Client {
	t.Helper()
	c, err := site(address, name, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Disconnect(10) })
	return c
}

func publish(t *testing.T, c mqtt.Client, topic, payload string, qos byte) {
	t.Helper()
	if tok := c.Publish(topic, qos, false, payload); !tok.WaitTimeout(5 * time.Second) {
		t.Fatalf("publish on %s: no answer", topic)
	}
}

func TestEmbedded(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	up := center(t, b)
	lyon := mustSite(t, b.Address(), "lyon", "k1")
	down := newHeard()
	hear := func(_ mqtt.Client, m mqtt.Message) { down.add(m.Topic(), m.Payload()) }
	for _, qos := range []byte{0, 1} {
		if tok := lyon.Subscribe("doorsync/v1/sites/lyon/down/#", qos, hear); tok.Wait() && tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		publish(t, lyon, "doorsync/v1/sites/lyon/up/hello", fmt.Sprint("up", qos), qos)
		up.waitFor(t, fmt.Sprint("doorsync/v1/sites/lyon/up/hello=up", qos))
		if err := b.Publish("doorsync/v1/sites/lyon/down/confirm", fmt.Append(nil, "down", qos)); err != nil {
			t.Fatal(err)
		}
		down.waitFor(t, fmt.Sprint("doorsync/v1/sites/lyon/down/confirm=down", qos))
	}
}

func TestEmbedded_site_name_with_dot(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	up := center(t, b)
	c := mustSite(t, b.Address(), "a.b", "k3")
	publish(t, c, "doorsync/v1/sites/a.b/up/hello", "x", 0)
	up.waitFor(t, "doorsync/v1/sites/a.b/up/hello=x")
}

func TestEmbedded_refuses_callers(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	for name, c := range map[string][2]string{
		"anonymous": {"", ""}, "unknown site": {"rome", "k1"}, "wrong key": {"lyon", "k2"}, "no key": {"lyon", ""},
		"the center's name": {centerUser, "guess"},
	} {
		if _, err := site(b.Address(), c[0], c[1]); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
}

func TestEmbedded_refusal_is_logged_once_with_what_to_do(t *testing.T) {
	var out safeBuffer
	b := open(t, EmbeddedOptions{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	for range 3 {
		_, _ = site(b.Address(), "rome", "a-secret-key")
	}
	if n := strings.Count(out.String(), "site=rome"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, out.String())
	}
	if !strings.Contains(out.String(), "sites add") || strings.Contains(out.String(), "a-secret-key") {
		t.Errorf("log:\n%s", out.String())
	}
}

func TestEmbedded_keeps_sites_in_their_branch(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	up := center(t, b)
	lyon := mustSite(t, b.Address(), "lyon", "k1")
	spied := newHeard()
	for _, filter := range []string{
		"#", "doorsync/#", "doorsync/v1/sites/oslo/down/#", "doorsync/v1/sites/+/down/#", "doorsync/v1/sites/oslo/up/#",
		"$MQTT/sub/#", "$MQTT/#", "$SYS/#", "$JS/#",
	} {
		lyon.Subscribe(filter, 0, func(_ mqtt.Client, m mqtt.Message) { spied.add(m.Topic(), m.Payload()) }).WaitTimeout(200 * time.Millisecond)
	}
	for _, topic := range []string{"doorsync/v1/sites/oslo/up/hello", "doorsync/v1/sites/oslo/down/order", "doorsync/v1/sites/lyon/down/order", "$SYS/REQ/SERVER/PING", "$JS/API/INFO"} {
		if lyon.IsConnectionOpen() {
			lyon.Publish(topic, 0, false, "forged").WaitTimeout(200 * time.Millisecond)
		}
	}
	oslo := mustSite(t, b.Address(), "oslo", "k2")
	if err := b.Publish("doorsync/v1/sites/oslo/down/order", []byte("private")); err != nil {
		t.Fatal(err)
	}
	publish(t, oslo, "doorsync/v1/sites/oslo/up/hello", "private too", 1)
	up.waitFor(t, "doorsync/v1/sites/oslo/up/hello=private too")
	up.never(t, "forged")
	spied.never(t, "private")
}

func TestEmbedded_cuts_oversized_packets(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	up := center(t, b)
	lyon := mustSite(t, b.Address(), "lyon", "k1")
	publish(t, lyon, "doorsync/v1/sites/lyon/up/journal", strings.Repeat("x", maxPacket+10), 0)
	oslo := mustSite(t, b.Address(), "oslo", "k2")
	publish(t, oslo, "doorsync/v1/sites/oslo/up/hello", "still there", 0)
	up.waitFor(t, "doorsync/v1/sites/oslo/up/hello=still there")
	up.never(t, "xxx")
	publish(t, oslo, "doorsync/v1/sites/oslo/up/journal", strings.Repeat("y", wire.MaxMessage), 0)
	up.waitFor(t, "doorsync/v1/sites/oslo/up/journal="+strings.Repeat("y", wire.MaxMessage))
}

func TestEmbedded_port_in_use(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	_, err := OpenEmbedded(EmbeddedOptions{Listen: b.Address(), Dir: t.TempDir(), Sites: keys{}})
	if err == nil || !strings.Contains(err.Error(), b.Address()) {
		t.Errorf("error: %v", err)
	}
}

func TestEmbedded_tells_of_a_site_that_is_gone(t *testing.T) {
	b := open(t, EmbeddedOptions{})
	up := center(t, b)
	conn := newCuttable(t, b.Address())
	mustSite(t, conn.address, "lyon", "k1")
	conn.cut()
	up.waitFor(t, "doorsync/v1/sites/lyon/up/presence=gone")
}
