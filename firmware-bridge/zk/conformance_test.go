package zk_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/drivertest"
	zksim "doorsync/firmware-bridge/sim/zk"
	"doorsync/firmware-bridge/zk"
	"doorsync/protocol"
)

// terminal starts a simulated terminal that ends with the test.
func terminal(t *testing.T, o zksim.Options) *zksim.Terminal {
	t.Helper()
	sim, err := zksim.New(o)
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
			t.Errorf("terminal: %v", err)
		}
	})
	return sim
}

// rowOf is a person at the terminal in the driver's canonical form, told
// without the driver's help.
func rowOf(p zksim.Person, format string) driver.Row {
	u := protocol.User{ID: p.ID, Values: map[protocol.Field]protocol.Value{}}
	for f, v := range map[protocol.Field]string{protocol.FieldName: p.Name, protocol.FieldPIN: p.PIN} {
		if v != "" {
			u.Values[f] = protocol.Text(v)
		}
	}
	if p.Disabled {
		u.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	}
	if p.Card != 0 {
		u.Credentials = append(u.Credentials, protocol.Card(uint64(p.Card)))
	}
	for finger, tpl := range p.Fingers {
		u.Credentials = append(u.Credentials, protocol.Fingerprint(format, finger, tpl))
	}
	return driver.Row{Key: p.ID, User: u}
}

func personOf(t *testing.T, r driver.Row) zksim.Person {
	t.Helper()
	p := zksim.Person{
		ID: r.Key, Name: r.User.FullName(), PIN: r.User.Value(protocol.FieldPIN).First, Disabled: !r.User.Active(),
		Fingers: map[uint8][]byte{},
	}
	for _, c := range r.User.Credentials {
		switch c.Kind {
		case protocol.KindCard:
			n, err := strconv.ParseUint(c.Number, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			p.Card = uint32(n)
		case protocol.KindFingerprint:
			p.Fingers[c.Slot] = c.Template
		}
	}
	return p
}

// bench gives the examination its access to the terminal's keys.
func bench(t *testing.T, sim *zksim.Terminal, format string) drivertest.Bench {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return drivertest.Bench{
		Address: sim.Addr(),
		Rows: func(*testing.T) []driver.Row {
			var rows []driver.Row
			for _, p := range sim.List() {
				rows = append(rows, rowOf(p, format))
			}
			return rows
		},
		Put: func(t *testing.T, rows ...driver.Row) {
			for _, r := range rows {
				p := personOf(t, r)
				old, err := sim.Show(p.ID)
				if err != nil {
					must(t, sim.Enroll(p))
					continue
				}
				must(t, sim.Edit(p.ID, func(q *zksim.Person) { q.Name, q.PIN, q.Card, q.Disabled = p.Name, p.PIN, p.Card, p.Disabled }))
				for finger := range old.Fingers {
					if _, keep := p.Fingers[finger]; !keep {
						must(t, sim.RemoveFinger(p.ID, finger))
					}
				}
				for finger, tpl := range p.Fingers {
					if !bytes.Equal(old.Fingers[finger], tpl) {
						must(t, sim.AddFinger(p.ID, finger, tpl))
					}
				}
			}
		},
		Remove: func(t *testing.T, keys ...string) {
			for _, k := range keys {
				must(t, sim.Delete(k))
			}
		},
	}
}

func text(s string) protocol.Value { return protocol.Text(s) }

func examined(format, version string) (users []protocol.User, edited protocol.User) {
	finger := func(n uint8, seed uint64) protocol.Credential {
		return protocol.Fingerprint(format, n, zksim.NewTemplate(version, seed, 1500))
	}
	users = []protocol.User{
		{
			ID:          "4",
			Values:      map[protocol.Field]protocol.Value{protocol.FieldName: text("Anna Meyer"), protocol.FieldPIN: text("1234")},
			Credentials: []protocol.Credential{protocol.Card(6543), protocol.Card(99), finger(6, 1), finger(0, 2)},
		},
		{
			ID: "17",
			Values: map[protocol.Field]protocol.Value{
				protocol.FieldFirstName: text("Bernadette-Élodie"), protocol.FieldLastName: text("Müller-Lüdenscheidt"),
				protocol.FieldState: text(protocol.StateInactive),
			},
			Credentials: []protocol.Credential{protocol.Card(4294967295), finger(3, 3)},
		},
		{ID: "123456789", Groups: []string{"staff"}, Values: map[protocol.Field]protocol.Value{protocol.FieldPIN: text("55555")}},
	}
	edited = users[0].Clone()
	edited.Values[protocol.FieldName] = text("Anna Schulz")
	delete(edited.Values, protocol.FieldPIN)
	edited.Credentials = []protocol.Credential{protocol.Card(777), finger(6, 9), finger(5, 2)}
	return users, edited
}

func examine(t *testing.T, network string, o zksim.Options, options map[string]any) {
	format := "zk10"
	if o.FingerVersion == "9" {
		format = "zk9"
	}
	users, edited := examined(format, o.FingerVersion)
	drivertest.Run(t, drivertest.Case{
		New: func(t *testing.T, address string) driver.Driver {
			d, err := zk.New(driver.Config{
				Name: "front", Driver: "zk", Address: address, Network: network, Password: strconv.Itoa(int(o.Key)),
				Timeout: 300 * time.Millisecond, Options: options,
			})
			if err != nil {
				t.Fatal(err)
			}
			return d
		},
		Start:  func(t *testing.T) drivertest.Bench { return bench(t, terminal(t, o), format) },
		Users:  users,
		Edited: edited,
		Refused: []protocol.User{
			{ID: ""}, {ID: "Jürgen"}, {ID: "1234567890123456789012345"}, {ID: "two words"},
		},
		User: func(n int) protocol.User {
			return protocol.User{
				ID:          strconv.Itoa(1000 + n),
				Values:      map[protocol.Field]protocol.Value{protocol.FieldName: text(fmt.Sprintf("User %d", n))},
				Credentials: []protocol.Credential{protocol.Card(uint64(n + 1))},
			}
		},
		Many:     1000,
		Network:  network,
		Checksum: true,
	})
}

func TestConformanceTCP72(t *testing.T) {
	examine(t, "tcp", zksim.Options{FingerVersion: "10", Key: 1234}, nil)
}

func TestConformanceTCP28(t *testing.T) {
	examine(t, "tcp", zksim.Options{FingerVersion: "9", Width: 28}, nil)
}

func TestConformanceUDP72(t *testing.T) {
	examine(t, "udp", zksim.Options{FingerVersion: "10"}, nil)
}

func TestConformanceUDP28(t *testing.T) {
	examine(t, "udp", zksim.Options{FingerVersion: "9", Width: 28, Key: 5678, LogRemote: true}, nil)
}
