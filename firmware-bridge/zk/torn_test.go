package zk_test

import (
	"bytes"
	"testing"

	"doorsync/firmware-bridge/driver"
	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/firmware-bridge/zk/frame"
	"doorsync/protocol"
)

// between has somebody act at the keys after the user table was read and before
// the templates are asked for.
func between(t *testing.T, cfg driver.Config, armed *bool, act func()) driver.Session {
	t.Helper()
	templates := openTemplates()
	cfg.Trace = func(_ string, b []byte) {
		if *armed && bytes.Contains(b, templates) {
			*armed = false
			act()
		}
	}
	return connect(t, cfg)
}

// openTemplates is what a request for the template table holds.
func openTemplates() []byte { return frame.Templates().Request() }

// A person deleted at the keys between the two tables must not be seen as one
// whose finger was removed.
func TestListDeletedBetweenTheTables(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	for _, p := range []zksim.Person{
		{ID: "1", Name: "Anna", Fingers: map[uint8][]byte{7: zksim.NewTemplate("10", 1, 384)}},
		{ID: "2", Name: "Bruno", Fingers: map[uint8][]byte{7: zksim.NewTemplate("10", 2, 384)}},
	} {
		if err := sim.Enroll(p); err != nil {
			t.Fatal(err)
		}
	}
	armed := true
	s := between(t, config(sim), &armed, func() { _ = sim.Delete("1") })
	rows, err := s.List(t.Context())
	for _, r := range rows {
		t.Logf("%s: %v (%v)", r.Key, r.User.Credentials, err)
		if r.Key == "1" && len(r.User.Credentials) == 0 {
			t.Errorf("user 1 is listed without the finger: that is a torn read")
		}
	}
}

// The last slot is given again: the finger of who is enrolled in between must
// not come out as that of who was deleted.
func TestListSlotReusedBetweenTheTables(t *testing.T) {
	sim := terminal(t, zksim.Options{})
	his, hers := zksim.NewTemplate("10", 1, 384), zksim.NewTemplate("10", 2, 384)
	if err := sim.Enroll(zksim.Person{ID: "1", Name: "Bruno", Fingers: map[uint8][]byte{7: his}}); err != nil {
		t.Fatal(err)
	}
	armed := true
	s := between(t, config(sim), &armed, func() {
		if err := sim.Delete("1"); err != nil {
			t.Error(err)
		}
		if err := sim.Enroll(zksim.Person{ID: "2", Name: "Anna", Fingers: map[uint8][]byte{7: hers}}); err != nil {
			t.Error(err)
		}
	})
	rows, err := s.List(t.Context())
	for _, r := range rows {
		t.Logf("%s: %v (%v)", r.Key, r.User.Credentials, err)
		if r.Key == "1" && len(r.User.Credentials) == 1 && r.User.Credentials[0].Key() == protocol.Fingerprint("zk10", 7, hers).Key() {
			t.Errorf("Bruno is listed with Anna's finger")
		}
	}
}
