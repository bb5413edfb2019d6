package configs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/configs"
)

type reader struct {
	Name     string
	Address  string
	Password string
	Port     uint16
	Doors    map[int][]string
	Options  map[string]any
	Timeout  time.Duration
}

type inlined struct {
	Mode string `yaml:"mode"`
}

type config struct {
	Site    string        `yaml:"site"`
	Retain  time.Duration `yaml:"retain"`
	Verbose bool          `yaml:"verbose"`
	Readers []reader      `yaml:"readers"`
	Broker  *struct {
		URL string `yaml:"url"`
	} `yaml:"broker"`
	inlined `yaml:",inline"`
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (c *config) validate() []configs.Fault {
	var faults []configs.Fault
	if c.Site == "" {
		faults = append(faults, configs.Fault{Path: "site", Text: "site is missing"})
	}
	for i, r := range c.Readers {
		at := "readers[" + string(rune('0'+i)) + "]"
		if r.Address == "" {
			faults = append(faults, configs.Fault{Path: at + ".address", Text: at + " has no address"})
		}
		if r.Port == 1 {
			faults = append(faults, configs.Fault{Path: at + ".port", Text: at + ": port 1 is not a reader's"})
		}
	}
	return faults
}

func TestLoadFills(t *testing.T) {
	c := config{Retain: time.Hour, inlined: inlined{Mode: "all"}}
	err := configs.Load(file(t, `
site: NO
retain: 90d
broker: {url: mqtt://center}
readers:
  - name: front
    address: 10.0.0.5:4370
    password: 0123
    doors: {1: [staff], 2: [staff, it]}
    options: {charset: utf-8, depth: 3}
    timeout: 1d12h
`), &c, c.validate)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Readers[0]
	if c.Site != "NO" || c.Retain != 90*24*time.Hour || c.Mode != "all" || c.Broker.URL != "mqtt://center" {
		t.Errorf("got %+v", c)
	}
	if r.Password != "0123" || r.Doors[2][1] != "it" || r.Options["depth"] != 3 || r.Timeout != 36*time.Hour {
		t.Errorf("got %+v", r)
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	var c config
	path := file(t, `sites: LYON
verbose: maybe
readers:
  - name: front
    adress: 10.0.0.5
    port: 99999
  - name: [back]
    address: 10.0.0.6
    address: 10.0.0.7
    timeout: soon
    password: {a: hunter2}
  - port: 1
    address: x
    doors: {one: [staff]}
broker: mqtt://center
retain: -4h
`)
	err := configs.Load(path, &c, c.validate)
	faults, ok := errors.AsType[*configs.Faults](err)
	if !ok {
		t.Fatalf("got %T %v, want *Faults", err, err)
	}
	want := []string{
		`:1: unknown key "sites": did you mean "site"?`,
		`:1: site is missing`,
		`:2: verbose must be true or false, here is "maybe"`,
		`:4: readers[0] has no address`,
		`:5: unknown key "adress" in readers[0]: did you mean "address"?`,
		`:6: readers[0].port must be a whole number, not negative, here is "99999"`,
		`:7: readers[1].name must be text, here is a list`,
		`:9: readers[1].address stands twice, the first time in line 8`,
		`:10: readers[1].timeout must be a time span such as 30s, 15m or 90d, here is "soon"`,
		`:11: readers[1].password must be text, here is keys with values`,
		`:12: readers[2]: port 1 is not a reader's`,
		`:14: readers[2].doors.one must be a whole number, here is "one"`,
		`:15: broker must be keys with values, here is a single value`,
		`:16: retain must be a time span such as 30s, 15m or 90d, here is "-4h"`,
	}
	if got := strings.ReplaceAll(err.Error(), path, ""); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if len(faults.List) != len(want) || faults.File != path {
		t.Errorf("got %d faults of %s", len(faults.List), faults.File)
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"syntax":           "site: [a\nreaders: b",
		"tab":              "site:\n\tname: x",
		"list at the root": "- site",
		"second document":  "site: a\n---\nsite: b",
		"merge":            "broker: &b {url: x}\nreaders:\n - <<: *b",
		"unknown alias":    "site: *nowhere",
		"binary":           "\x00\x01\x02",
	} {
		t.Run(name, func(t *testing.T) {
			err := configs.Load(file(t, text), &config{}, nil)
			if faults, ok := errors.AsType[*configs.Faults](err); !ok || faults.List[0].Line < 1 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLoadEmptyFileIsCheckedToo(t *testing.T) {
	var c config
	path := file(t, "# nothing yet\n")
	err := configs.Load(path, &c, c.validate)
	if err == nil || err.Error() != path+":1: site is missing" {
		t.Errorf("got %v", err)
	}
}

func TestLoadMissingFile(t *testing.T) {
	err := configs.Load(filepath.Join(t.TempDir(), "none.yaml"), &config{}, nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "--config") {
		t.Errorf("got %v", err)
	}
}

func TestLoadHidesSecrets(t *testing.T) {
	type secret struct {
		Key   time.Duration `yaml:"key"`
		Token int           `yaml:"token"`
	}
	err := configs.Load(file(t, "key: hunter2\ntoken: hunter3\n"), &secret{}, nil)
	if err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v", err)
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d": 90 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1w1d1h": 193 * time.Hour, "30s": 30 * time.Second, "0s": 0, "1.5h": 90 * time.Minute,
	} {
		if got, err := configs.ParseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1d-1h", "9999999999d", "1000000w", "4", "1d4", "soon", "1d2d"} {
		if got, err := configs.ParseDuration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte("site: a\nreaders: [{name: x, doors: {1: [a]}, timeout: 3d}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var c config
		err := configs.Load(path, &c, c.validate)
		faults, ok := errors.AsType[*configs.Faults](err)
		if err != nil && (!ok || len(faults.List) == 0) {
			t.Errorf("got %v", err)
		}
	})
}
