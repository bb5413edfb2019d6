package uhppote_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/drivertest"
	uhpposim "doorsync/firmware-bridge/sim/uhppote"
	"doorsync/firmware-bridge/uhppote"
	"doorsync/firmware-bridge/uhppote/packet"
	"doorsync/protocol"
)

const serial = "405419896"

func TestConformance(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) { drivertest.Run(t, ourCase(network)) })
	}
}

func ourCase(network string) drivertest.Case {
	c := people()
	c.Network = network
	c.New = func(t *testing.T, address string) driver.Driver {
		return newDriver(t, config(network, address))
	}
	c.Start = func(t *testing.T) drivertest.Bench {
		sim := start(t, uhpposim.Options{})
		return drivertest.Bench{
			Address: sim.Addr(),
			Rows:    func(*testing.T) []driver.Row { return rowsOf(sim.Cards()) },
			Put: func(t *testing.T, rows ...driver.Row) {
				for _, r := range rows {
					if err := sim.PutCard(cardOf(t, r)); err != nil {
						t.Fatal(err)
					}
				}
			},
			Remove: func(t *testing.T, keys ...string) {
				for _, k := range keys {
					if err := sim.DeleteCard(numberOf(t, k)); err != nil {
						t.Fatal(err)
					}
				}
			},
		}
	}
	return c
}

// people is the part of a case that does not depend on the controller.
func people() drivertest.Case {
	return drivertest.Case{
		Users: []protocol.User{
			user("1", []string{"staff"}, values{protocol.FieldName: protocol.Text("Anna Meyer"), protocol.FieldPIN: protocol.Text("1234")}, 10058400),
			user("2", []string{"it"}, values{protocol.FieldValidity: {First: "2026-01-01", Second: "2027-06-30"}}, 4294967294, 7),
			user("3", []string{"staff", "it"}, values{protocol.FieldValidity: {Second: "2026-12-31T17:00:00Z"}}, 65535),
			user("4", []string{"other"}, values{protocol.FieldPIN: protocol.Text("999999")}, 16777216),
		},
		Edited:  user("1", []string{"it"}, values{protocol.FieldPIN: protocol.Text("4321"), protocol.FieldValidity: {First: "2026-05-01"}}, 10058400),
		Refused: refused(),
		User: func(n int) protocol.User {
			return user(fmt.Sprint(n), []string{"staff"}, nil, uint64(1000000+n))
		},
	}
}

func refused() []protocol.User {
	return []protocol.User{
		user("10", []string{"staff"}, nil),
		user("11", []string{"staff"}, nil, 4294967295),
		user("12", []string{"staff"}, nil, 4294967296),
		user("13", []string{"staff"}, nil, 0x00FFFFFF),
		user("14", []string{"staff"}, values{protocol.FieldState: protocol.Text(protocol.StateInactive)}, 5),
		user("15", []string{"staff"}, values{protocol.FieldValidity: {Second: "soon"}}, 5),
	}
}

type values = map[protocol.Field]protocol.Value

func user(id string, groups []string, v values, cards ...uint64) protocol.User {
	u := protocol.User{ID: id, Groups: groups, Values: v}
	for _, n := range cards {
		u.Credentials = append(u.Credentials, protocol.Card(n))
	}
	return u
}

func config(network, address string) driver.Config {
	return driver.Config{
		Name: "side", Driver: "uhppote", Network: network, Address: address, Serial: serial,
		Timeout: 200 * time.Millisecond,
		Doors:   map[int][]string{1: {"staff"}, 2: {"staff", "it"}, 4: {"*"}},
		Options: map[string]any{"time-zone": "America/New_York"},
	}
}

func newDriver(t testing.TB, c driver.Config) *uhppote.Driver {
	t.Helper()
	d, err := uhppote.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func start(t testing.TB, o uhpposim.Options) *uhpposim.Controller {
	t.Helper()
	sim, err := uhpposim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("simulated controller: %v", err)
		}
	})
	return sim
}

// rowsOf writes a controller's cards as rows by rules of its own, so that a
// fault in the driver's cannot hide itself.
func rowsOf(cards []packet.Card) []driver.Row {
	zone, _ := time.LoadLocation("America/New_York")
	var out []driver.Row
	for _, c := range cards {
		r := driver.Row{Key: fmt.Sprintf("card:%d", c.Number), Doors: map[int]uint8{}}
		r.User.Credentials = []protocol.Credential{protocol.Card(uint64(c.Number))}
		r.User.Values = values{}
		for i, d := range c.Doors {
			if d != 0 {
				r.Doors[i+1] = d
			}
		}
		var v protocol.Validity
		if c.From != 20000101 {
			v.ActivatesAt, _ = time.ParseInLocation("20060102", fmt.Sprint(uint32(c.From)), zone)
		}
		if c.To != 20991231 {
			v.ExpiresAt, _ = time.ParseInLocation("20060102 150405", fmt.Sprint(uint32(c.To), " 235959"), zone)
		}
		if !v.Value().IsNull() {
			r.User.Values[protocol.FieldValidity] = v.Value()
		}
		if c.PIN != 0 {
			r.User.Values[protocol.FieldPIN] = protocol.Text(fmt.Sprint(c.PIN))
		}
		out = append(out, r)
	}
	return out
}

func numberOf(t *testing.T, key string) uint32 {
	t.Helper()
	var n uint32
	if _, err := fmt.Sscanf(key, "card:%d", &n); err != nil {
		t.Fatalf("key %q: %v", key, err)
	}
	return n
}

func cardOf(t *testing.T, r driver.Row) packet.Card {
	t.Helper()
	zone, _ := time.LoadLocation("America/New_York")
	c := packet.Card{Number: numberOf(t, r.Key), From: 20000101, To: 20991231}
	v, err := protocol.ParseValidity(r.User.Value(protocol.FieldValidity))
	if err != nil {
		t.Fatal(err)
	}
	if !v.ActivatesAt.IsZero() {
		c.From = packet.DateOf(v.ActivatesAt.In(zone))
	}
	if !v.ExpiresAt.IsZero() {
		c.To = packet.DateOf(v.ExpiresAt.In(zone))
	}
	for d, p := range r.Doors {
		c.Doors[d-1] = p
	}
	if pin := r.User.Value(protocol.FieldPIN).First; pin != "" {
		if _, err := fmt.Sscan(pin, &c.PIN); err != nil {
			t.Fatal(err)
		}
	}
	return c
}
