package sources_test

import (
	"strings"
	"testing"
	"time"

	"doorsync/cloud/sources"
)

func TestSettings(t *testing.T) {
	for name, c := range map[string]struct{ text, wrong string }{
		"none are the defaults":     {"", ""},
		"a file":                    {`{"file": "/data/hr.csv"}`, ""},
		"all":                       {`{"file": "/data/hr.csv", "interval": "15m", "watch": false, "guard": {"percent": 50, "least": 3}, "skip_bad_rows": true, "overdue": 3, "contacts": ["it@example.org"]}`, ""},
		"a relative file":           {`{"file": "hr.csv"}`, "full path"},
		"what nobody knows":         {`{"flie": "/data/hr.csv"}`, `unknown field "flie"`},
		"an interval in words":      {`{"interval": "hourly"}`, "write 15m, 1h or 1h30m, or off"},
		"an interval too short":     {`{"interval": "5s"}`, "from 1m to 31 days"},
		"a guard beyond all people": {`{"guard": {"percent": 120, "least": -1}}`, "from 0 to 100"},
		"all faults at once":        {`{"guard": {"percent": 120, "least": -1}}`, "0 or more"},
		"overdue at once":           {`{"overdue": 0.5}`, "from 1 to 1000"},
		"a contact without address": {`{"contacts": ["the office"]}`, `"the office" is no e-mail address`},
		"a wrong format":            {`{"format": {"delimiter": "wide"}}`, "delimiter"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sources.ParseSettings([]byte(c.text))
			switch {
			case c.wrong == "" && err != nil:
				t.Fatal(err)
			case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Fatalf("error %v, want one with %q", err, c.wrong)
			case c.wrong != "":
				return
			}
			text, err := s.Encode()
			must(t, err)
			again, err := sources.ParseSettings(text)
			must(t, err)
			if !equalJSON(t, s, again) {
				t.Errorf("read back %+v, want %+v", again, s)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	s, err := sources.ParseSettings([]byte(`{"guard": {"percent": 30}}`))
	must(t, err)
	if s.Interval != sources.Interval(time.Hour) || !s.Watch || s.Guard.Percent != 30 || s.Guard.Least != 10 || s.Late() != 2*time.Hour || s.SkipBadRows {
		t.Errorf("defaults %+v", s)
	}
	if s.Scheduled() {
		t.Error("a source without a file is scheduled")
	}
}

func TestInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"off": 0, "1m": time.Minute, "15m": 15 * time.Minute, "1h": time.Hour, "1h30m": 90 * time.Minute, "24h": 24 * time.Hour, "1m30s": 90 * time.Second, "1h0m5s": time.Hour + 5*time.Second, "20m": 20 * time.Minute, "10h": 10 * time.Hour,
	} {
		var got sources.Interval
		must(t, got.UnmarshalText([]byte(text)))
		if got != sources.Interval(want) || got.String() != text {
			t.Errorf("%s is read as %s, written as %s", text, time.Duration(got), got)
		}
	}
}

func TestGuard(t *testing.T) {
	g := sources.Guard{Percent: 20, Least: 10}
	for name, c := range map[string]struct {
		guard          sources.Guard
		touched, known int
		want           bool
	}{
		"a first import":              {g, 0, 0, false},
		"few of few":                  {g, 9, 9, false},
		"ten of ten":                  {g, 10, 10, true},
		"a fifth":                     {g, 20, 100, false},
		"more than a fifth":           {g, 21, 100, true},
		"everybody of many":           {g, 1000, 1000, true},
		"many, but a small share":     {g, 150, 1000, false},
		"never":                       {sources.Guard{Percent: 100, Least: 1}, 1000, 1000, false},
		"always":                      {sources.Guard{}, 1, 1_000_000, true},
		"always, but nothing changes": {sources.Guard{}, 0, 1_000_000, false},
	} {
		if got := c.guard.Exceeds(c.touched, c.known); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
