package uhppote_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorsync/firmware-bridge/driver"
	uhpposim "doorsync/firmware-bridge/sim/uhppote"
	"doorsync/firmware-bridge/uhppote"
	"doorsync/protocol"
)

// TestCanonical: projecting what a projection holds changes nothing, wherever
// the controller stands.
func TestCanonical(t *testing.T) {
	zones := []string{"UTC", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "America/Sao_Paulo", "Pacific/Apia"}
	rapid.Check(t, func(t *rapid.T) {
		c := config("udp", "192.0.2.1")
		c.Options = map[string]any{
			"time-zone":   rapid.SampledFrom(zones).Draw(t, "zone"),
			"card-format": rapid.SampledFrom([]string{"number", "facility"}).Draw(t, "format"),
		}
		d, err := uhppote.New(c)
		if err != nil {
			t.Fatal(err)
		}
		moment := func(label string) string {
			switch rapid.IntRange(0, 3).Draw(t, label) {
			case 0:
				return ""
			case 1:
				return time.Unix(rapid.Int64Range(-3e9, 5e9).Draw(t, label), 0).UTC().Format(time.DateOnly)
			default:
				return time.Unix(rapid.Int64Range(-3e9, 5e9).Draw(t, label), 0).UTC().Format(time.RFC3339)
			}
		}
		u := user("1", []string{"staff"}, values{
			protocol.FieldValidity: {First: moment("from"), Second: moment("to")},
			protocol.FieldPIN:      protocol.Text(fmt.Sprint(rapid.Uint32Range(0, 2000000).Draw(t, "pin"))),
		}, rapid.Uint64Range(1, 1<<33).Draw(t, "card"))
		rows, left := d.Project(u)
		if len(rows) == 0 && len(left) == 0 {
			t.Fatal("neither a row nor a reason")
		}
		for _, r := range rows {
			again := r.User.Clone()
			again.Groups = u.Groups
			second, _ := d.Project(again)
			if len(second) != 1 || !second[0].Equal(r) {
				t.Fatalf("%+v\nbecame\n%+v", r, second)
			}
		}
	})
}

func TestValidityInDays(t *testing.T) {
	for name, c := range map[string]struct {
		zone  string
		wish  protocol.Value
		held  protocol.Value
		noted bool
	}{
		"none":                 {"America/New_York", protocol.Value{}, protocol.Value{}, false},
		"dates":                {"America/New_York", protocol.Value{First: "2026-01-01", Second: "2026-12-31"}, protocol.Value{First: "2026-01-01T05:00:00Z", Second: "2027-01-01T04:59:59Z"}, false},
		"midnight_utc_is_date": {"America/New_York", protocol.Value{Second: "2026-12-31T00:00:00Z"}, protocol.Value{Second: "2027-01-01T04:59:59Z"}, false},
		"local_midnight":       {"America/New_York", protocol.Value{Second: "2026-12-31T05:00:00Z"}, protocol.Value{Second: "2026-12-31T04:59:59Z"}, true},
		"time_of_day":          {"America/New_York", protocol.Value{Second: "2026-12-31T17:00:00Z"}, protocol.Value{Second: "2027-01-01T04:59:59Z"}, true},
		"ahead_of_utc":         {"Pacific/Auckland", protocol.Value{First: "2026-07-01"}, protocol.Value{First: "2026-06-30T12:00:00Z"}, false},
		"long_ago":             {"UTC", protocol.Value{First: "1970-01-01"}, protocol.Value{}, true},
		"far_away":             {"UTC", protocol.Value{Second: "2150-01-01"}, protocol.Value{}, true},
		"expired_long_ago":     {"UTC", protocol.Value{Second: "0001-01-01"}, protocol.Value{Second: "2000-01-01T23:59:59Z"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config("udp", "192.0.2.1")
			cfg.Options["time-zone"] = c.zone
			rows, left := newDriver(t, cfg).Project(user("1", []string{"staff"}, values{protocol.FieldValidity: c.wish}, 7))
			if len(rows) != 1 {
				t.Fatal(rows, left)
			}
			if got := rows[0].User.Value(protocol.FieldValidity); got != c.held {
				t.Errorf("%s; want %s", protocol.FieldValidity.Show(got), protocol.FieldValidity.Show(c.held))
			}
			if (len(left) > 0) != c.noted {
				t.Errorf("left out: %v", left)
			}
		})
	}
}

func TestLeftOut(t *testing.T) {
	d := newDriver(t, config("udp", "192.0.2.1"))
	full := user("1", []string{"staff"}, values{protocol.FieldName: protocol.Text("Anna"), protocol.FieldPIN: protocol.Text("0123")}, 7, 8)
	full.Credentials[1].Duress = true
	full.Credentials = append(full.Credentials,
		protocol.Fingerprint("zk10", 6, []byte("secret")),
		protocol.Credential{Kind: protocol.KindCard, Format: "wiegand37", Number: "99"})
	rows, left := d.Project(full)
	if len(rows) != 2 || len(left) != 5 {
		t.Fatalf("%d rows, left out %+v; want 2, and name, PIN, duress, finger and format", len(rows), left)
	}
	for _, r := range rows {
		if len(r.User.Values) != 0 {
			t.Errorf("row %s holds values it cannot: %d", r.Key, len(r.User.Values))
		}
	}
	for _, l := range left {
		if l.Reason == "" || strings.Contains(l.Reason, "0123") {
			t.Errorf("reason %q", l.Reason)
		}
	}
}

func TestDoorsFromGroups(t *testing.T) {
	d := newDriver(t, config("udp", "192.0.2.1"))
	for _, c := range []struct {
		groups []string
		want   string
	}{
		{[]string{"staff"}, "map[1:1 2:1 4:1]"},
		{[]string{"it"}, "map[2:1 4:1]"},
		{[]string{"it", "staff"}, "map[1:1 2:1 4:1]"},
		{nil, "map[4:1]"},
	} {
		rows, _ := d.Project(user("1", c.groups, nil, 7))
		if got := fmt.Sprint(rows[0].Doors); got != c.want {
			t.Errorf("%v: doors %s; want %s", c.groups, got, c.want)
		}
	}
	cfg := config("udp", "192.0.2.1")
	cfg.Doors = map[int][]string{1: {"staff"}}
	rows, left := newDriver(t, cfg).Project(user("1", []string{"it"}, nil, 7))
	if len(rows) != 0 || len(left) != 1 || left[0].Credential == "" {
		t.Errorf("nobody's door: %d rows, left out %+v", len(rows), left)
	}
}

// TestFacility: a controller that shows 26 bit cards as facility code and five
// digits holds, and is read for, the number that everybody else knows.
func TestFacility(t *testing.T) {
	sim := start(t, uhpposim.Options{})
	c := config("udp", sim.Addr())
	c.Options["card-format"] = "facility"
	s := session(t, c)
	want := row(t, s, user("1", []string{"staff"}, nil, 100<<16|58400))
	if want.Key != "card:6612000" {
		t.Errorf("key %s", want.Key)
	}
	if _, err := s.Put(t.Context(), []driver.Row{want}); err != nil {
		t.Fatal(err)
	}
	if cards := sim.Cards(); len(cards) != 1 || cards[0].Number != 10058400 {
		t.Fatalf("the controller holds %v", cards)
	}
	for range 50 { // numbers that do not come apart are rows of their own
		card := sim.Cards()[0]
		card.Number = rand.Uint32N(1<<32-3) + 1
		if card.Number == 0x00FFFFFF {
			continue
		}
		if err := sim.PutCard(card); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := s.List(t.Context())
	if err != nil || len(rows) != len(sim.Cards()) {
		t.Fatalf("%d rows of %d cards, %v", len(rows), len(sim.Cards()), err)
	}
	for _, r := range rows {
		u := r.User.Clone()
		u.Groups = []string{"staff"}
		if again, left := s.Project(u); len(again) != 1 || !again[0].Equal(r) {
			t.Errorf("row %s projects to %v, left out %v", r.Key, again, left)
		}
	}
	var keys []string
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	if _, err := s.Delete(t.Context(), keys); err != nil || len(sim.Cards()) != 0 {
		t.Errorf("%d cards left after deleting all, %v", len(sim.Cards()), err)
	}
}

func TestPINsTurnedOff(t *testing.T) {
	c := config("udp", "192.0.2.1")
	c.Options["pin"] = false
	rows, left := newDriver(t, c).Project(user("1", []string{"staff"}, values{protocol.FieldPIN: protocol.Text("1234")}, 7))
	if len(rows) != 1 || len(rows[0].User.Values) != 0 || len(left) != 1 {
		t.Errorf("%v, left out %v", rows, left)
	}
}

func TestFaultsOfConfigurationAllAtOnce(t *testing.T) {
	_, err := uhppote.New(driver.Config{
		Name: "side", Network: "serial", Serial: "x", Password: "hunter2", Timeout: -1, Show: "{name}",
		Doors: map[int][]string{0: {"a"}, 5: {"b"}},
		Options: map[string]any{
			"pin": "yes", "card-format": "hex", "listen": "here", "time-zone": "Mars/Olympus", "unkown-cards": "adopt", "unknown-cards": "leave",
		},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"side", "no address", "serial", "network", "password", "timeout", "show: ", "numbered 0", "numbered 5",
		"pin", "hex", "listen", "Mars", `"unkown-cards" is unknown`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not speak of %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("the error shows the password")
	}
	if _, err := uhppote.New(driver.Config{Name: "side", Address: "192.0.2.1", Serial: serial}); err == nil {
		t.Error("no error for a controller whose doors open for nobody")
	}
}

// TestTraceHidesPINs: what a technician is shown has no PIN in it.
func TestTraceHidesPINs(t *testing.T) {
	c := config("udp", start(t, uhpposim.Options{}).Addr())
	var seen strings.Builder
	c.Trace = func(dir string, b []byte) { fmt.Fprintf(&seen, "%s%x\n", dir, b) }
	s := session(t, c)
	want := row(t, s, user("1", []string{"staff"}, values{protocol.FieldPIN: protocol.Text("7531")}, 7))
	if _, err := s.Put(t.Context(), []driver.Row{want}); err != nil {
		t.Fatal(err)
	}
	if rows, err := s.List(t.Context()); err != nil || len(rows) != 1 || !rows[0].Equal(want) {
		t.Fatal(rows, err)
	}
	if out := seen.String(); !strings.Contains(out, ">1750") || !strings.Contains(out, "<175c") || strings.Contains(out, "6b1d") {
		t.Errorf("trace:\n%s", out)
	}
}
