package e2e_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// TestStrangersOnTheBroker: garbage, oversized and foreign messages under every
// topic change nothing; center and agents go on.
func TestStrangersOnTheBroker(t *testing.T) {
	w := newWorld(t, "LYON", "OSLO")
	w.external()
	w.start()
	w.enroll("LYON", "1", "Before")
	w.agree(20 * time.Second)

	// With the center's own account every topic can be reached.
	office := w.connect("central", "central-password")
	for _, kind := range []string{"hello", "journal", "pull", "readers", "presence", "digest", "nonsense"} {
		for _, site := range []string{"LYON", "OSLO", "NOWHERE", "..", "$SYS"} {
			w.flood(office, "doorsync/v1/sites/"+site+"/up/"+kind)
		}
	}
	for _, kind := range []string{"confirm", "changes", "order", "nonsense"} {
		w.flood(office, "doorsync/v1/sites/LYON/down/"+kind)
	}
	// A site's own account cannot speak for another site.
	lyon := w.connect("LYON", "key-of-LYON")
	w.flood(lyon, "doorsync/v1/sites/OSLO/up/journal")
	w.flood(lyon, "doorsync/v1/sites/OSLO/down/changes")

	w.enroll("LYON", "2", "After")
	w.enroll("OSLO", "3", "After, too")
	w.agree(20 * time.Second)
	w.everythingOnce()
	if n := strings.Count(w.center.Tail(1_000_000), "\n"); n > 300 {
		t.Errorf("the center printed %d lines: each kind is logged once", n)
	}
}

func (w *world) connect(user, password string) mqtt.Client {
	w.t.Helper()
	o := mqtt.NewClientOptions().AddBroker("tcp://" + w.broker.Addr).SetClientID("stranger-" + user).SetUsername(user).SetPassword(password)
	c := mqtt.NewClient(o)
	token := c.Connect()
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		w.t.Fatalf("connect as %s: %v", user, token.Error())
	}
	w.t.Cleanup(func() { c.Disconnect(100) })
	return c
}

// flood sends what no program of ours would send.
func (w *world) flood(c mqtt.Client, topic string) {
	w.t.Helper()
	for _, payload := range [][]byte{
		nil,
		[]byte("hello"),
		[]byte(`{"version":1,"session":"x","entries":[]}`),
		{0xbf, 0xff}, // an empty map without an announced end
		{0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // a list of 2^64-1
		bytes.Repeat([]byte{0x81}, 2000),                       // 2,000 lists within one another
		bytes.Repeat([]byte{0x28, 0xb5}, 500),                  // looks like zstd at first
		bytes.Repeat([]byte("A"), 200<<10),                     // oversized
	} {
		if token := c.Publish(topic, 1, false, payload); !token.WaitTimeout(10 * time.Second) {
			w.t.Fatalf("publish to %s: no answer", topic)
		}
	}
}
