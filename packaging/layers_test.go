package packaging_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rule says what the files under From must not import: our own folders, or
// packages of anybody. Own exceptions are listed in Except.
type rule struct {
	name   string
	from   string
	forbid []string // folders of ours, or import paths of others
	except []string // what of it is allowed
	tests  bool     // holds for tests as well
}

// rules are the directions of the architecture. Whoever wants to import against
// one of them has a part in the wrong place.
func rules() []rule {
	all := []string{"protocol", "firmware-bridge", "agent", "cloud", "packaging", "configs"}
	return []rule{
		{"protocol is pure", "protocol", append(slices.Clone(all), "os", "net", "net/http", "log", "log/slog", "os/exec", "math/rand"), []string{"protocol"}, false},
		{"the bridge knows the language only", "firmware-bridge", all, []string{"protocol", "firmware-bridge"}, true},
		{"the agent does not know the center", "agent", []string{"cloud"}, nil, true},
		{"the center does not know the agent", "cloud", []string{"agent"}, nil, true},
		{"the center does not know readers' bytes", "cloud", []string{"firmware-bridge"}, nil, true},
		{"configuration knows no part", "configs", all, []string{"configs"}, false},
		{"the service wrapper knows no part", "packaging/service", all, []string{"packaging/service"}, false},

		{"the journal stands at the bottom", "agent/journal", []string{"agent", "firmware-bridge"}, []string{"agent/journal"}, false},
		{"reader sessions know the journal only", "agent/reader", []string{"agent"}, []string{"agent/reader", "agent/journal"}, false},
		{"the uplink knows the journal only", "agent/uplink", []string{"agent", "firmware-bridge"}, []string{"agent/uplink", "agent/journal"}, false},
		{"the console knows the journal only", "agent/console", []string{"agent"}, []string{"agent/console", "agent/journal"}, false},
		{"agent/config knows no part", "agent/config", []string{"agent"}, []string{"agent/config"}, false},

		{"the roster stands at the bottom", "cloud/roster", []string{"cloud"}, []string{"cloud/roster"}, false},
		{"the exchange knows roster and broker", "cloud/exchange", []string{"cloud"}, []string{"cloud/exchange", "cloud/roster", "cloud/broker"}, false},
		{"the broker knows nobody", "cloud/broker", []string{"cloud"}, []string{"cloud/broker"}, false},
		{"the API knows the roster only", "cloud/api", []string{"cloud"}, []string{"cloud/api", "cloud/roster"}, false},
		{"mail knows the roster only", "cloud/notify", []string{"cloud"}, []string{"cloud/notify", "cloud/roster"}, false},
		{"sources know the roster only", "cloud/sources", []string{"cloud"}, []string{"cloud/sources", "cloud/roster"}, false},
		{"the reader of CSV knows the language only", "cloud/sources/csvfile", []string{"cloud"}, []string{"cloud/sources/csvfile"}, false},
		{"the spool and the plan know no importer", "cloud/sources/plan", []string{"cloud"}, []string{"cloud/sources/plan", "cloud/sources/spool", "cloud/sources/csvfile", "cloud/roster"}, false},
		{"cloud/config knows no part", "cloud/config", []string{"cloud"}, []string{"cloud/config"}, false},

		{"the driver contract knows no dialect", "firmware-bridge/driver", []string{"firmware-bridge"}, []string{"firmware-bridge/driver"}, false},
		{"zk knows no other dialect", "firmware-bridge/zk", []string{"firmware-bridge/uhppote", "firmware-bridge/catalog", "firmware-bridge/sim"}, nil, false},
		{"uhppote knows no other dialect", "firmware-bridge/uhppote", []string{"firmware-bridge/zk", "firmware-bridge/catalog", "firmware-bridge/sim"}, nil, false},
	}
}

func TestDirections(t *testing.T) {
	files := tree(t)
	for _, r := range rules() {
		t.Run(strings.ReplaceAll(r.name, " ", "_"), func(t *testing.T) {
			for _, s := range files {
				if !within(s.folder, r.from) || s.test && !r.tests {
					continue
				}
				for _, imported := range s.imports {
					if r.forbids(imported) {
						t.Errorf("%s imports %s: %s", s.path, imported, r.name)
					}
				}
			}
		})
	}
}

func (r rule) forbids(imported string) bool {
	folder, ours := strings.CutPrefix(imported, module+"/")
	match := func(f string) bool { return ours && within(folder, f) || !ours && imported == f }
	return slices.ContainsFunc(r.forbid, match) && !slices.ContainsFunc(r.except, match)
}

func TestTestingStaysInTests(t *testing.T) {
	for _, s := range tree(t) {
		if !s.support() && slices.ContainsFunc(s.imports, func(i string) bool { return i == "testing" || strings.HasPrefix(i, "testing/") }) {
			t.Errorf("%s imports testing, but is part of a program", s.path)
		}
	}
}

// TestPrograms looks at all that a program is linked from, other people's
// packages included.
func TestPrograms(t *testing.T) {
	for program, forbidden := range map[string][]string{
		"doorsync/agent/cmd/doorsync-agent":                   {"testing", "doorsync/cloud", "modernc.org/sqlite", "net/http/pprof", "github.com/mochi-mqtt", "github.com/nats-io"},
		"doorsync/cloud/cmd/doorsync-central":                 {"testing", "doorsync/agent", "doorsync/firmware-bridge", "go.etcd.io/bbolt"},
		"doorsync/firmware-bridge/sim/cmd/doorsync-readersim": {"testing", "doorsync/cloud", "doorsync/agent", "net/http/pprof"},
		"doorsync/protocol/wire":                              {"testing", "net", "net/http", "os/exec"},
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", program).Output()
		if err != nil {
			t.Errorf("list what %s is made of: %v", program, err)
			continue
		}
		for dependency := range strings.Lines(string(out)) {
			dependency = strings.TrimSpace(dependency)
			for _, f := range forbidden {
				// "testing" and "net" mean themselves, longer paths all below them.
				if dependency == f || strings.Contains(f, "/") && strings.HasPrefix(dependency, f+"/") {
					t.Errorf("%s is linked with %s", program, dependency)
				}
			}
		}
	}
}
