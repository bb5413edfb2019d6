package zksim

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clients installs the independent clients once for this lock file, outside of
// the repository, and returns where.
func clients(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: install Node.js 18 or later (Debian: apt-get install nodejs npm)", tool)
		}
	}
	lock, err := os.ReadFile("testdata/npm/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "doorsync-test", fmt.Sprintf("zk-clients-%x", sha256.Sum256(lock))[:24])
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		install(t, dir)
	}
	script, err := os.ReadFile("testdata/npm/examine.cjs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "examine.cjs"), script, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// install fills a directory beside dir and moves it there, so that a broken
// install leaves nothing that looks like one.
func install(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "install-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join("testdata/npm", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(tmp, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v: the independent clients come from the npm registry; run it in firmware-bridge/sim/zk/testdata/npm to see more\n%s", err, out)
	}
	if err := os.Rename(tmp, dir); err != nil {
		if _, e := os.Stat(filepath.Join(dir, "node_modules")); e != nil {
			t.Fatal(err) // nobody else was quicker
		}
	}
}

// seen is what a client saw.
type seen struct {
	Info struct {
		UserCounts int `json:"userCounts"`
	} `json:"info"`
	Users []struct {
		UID  uint16 `json:"uid"`
		ID   string `json:"id"`
		Name string `json:"name"`
		Card uint32 `json:"card"`
		PIN  string `json:"pin"`
	} `json:"users"`
	Passes   []string `json:"passes"`
	Time     string   `json:"time"`
	Serial   string   `json:"serial"`
	Firmware string   `json:"firmware"`
}

func look(t *testing.T, dir, client, network, addr string) seen {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "examine.cjs", client, network, host, port)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if e, ok := err.(*exec.ExitError); ok {
			stderr = e.Stderr
		}
		t.Fatalf("%s over %s: %v\n%s", client, network, err, stderr)
	}
	var s seen
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatalf("%s over %s: %v in %q", client, network, err, out)
	}
	return s
}

// TestIndependentClients shows that the terminal speaks as others understand
// it: three clients of other authors read it over TCP (72-byte records) and
// UDP (28-byte records), in tables that fit one answer and tables that do not.
func TestIndependentClients(t *testing.T) {
	dir := clients(t)
	for _, client := range []string{"zkteco-js", "node-zklib", "zklib-js"} {
		for _, c := range []struct {
			network string
			width   int
			users   int
		}{{"tcp", 72, 5}, {"tcp", 72, 1200}, {"udp", 28, 5}, {"udp", 28, 300}} {
			if client == "zkteco-js" && c.network == "udp" && c.users > 30 {
				continue // that client throws away what it was sent in chunks
			}
			t.Run(fmt.Sprintf("%s/%s_%d", client, c.network, c.users), func(t *testing.T) {
				t.Parallel()
				examineWith(t, dir, client, c.network, c.width, c.users)
			})
		}
	}
}

func examineWith(t *testing.T, dir, client, network string, width, users int) {
	sim := start(t, Options{Width: width, Serial: "SIM77", PacketGap: 5 * time.Millisecond})
	for i := range users {
		p := Person{ID: fmt.Sprint(1000 + i), Name: fmt.Sprintf("U%d", i), Card: uint32(70000 + i), PIN: fmt.Sprint(i)}
		if err := sim.Enroll(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := sim.Present("1001"); err != nil {
		t.Fatal(err)
	}
	s := look(t, dir, client, network, sim.Addr())
	if len(s.Users) != users {
		t.Fatalf("%d users seen, %d are there", len(s.Users), users)
	}
	for i, u := range s.Users {
		if u.ID != fmt.Sprint(1000+i) || u.UID != uint16(i+1) {
			t.Fatalf("user %d is seen as %+v", i, u)
		}
		if network == "tcp" && (u.Name != fmt.Sprintf("U%d", i) || (u.Card != 0 && u.Card != uint32(70000+i))) {
			t.Fatalf("user %d is seen as %+v", i, u)
		}
	}
	if network == "tcp" && (len(s.Passes) != 1 || s.Passes[0] != "1001") {
		t.Errorf("passes are seen as %v", s.Passes)
	}
	if client == "zkteco-js" && !strings.Contains(s.Time, fmt.Sprint(time.Now().Year())) {
		t.Errorf("the clock is seen as %q", s.Time)
	}
	if client != "zkteco-js" || network != "tcp" {
		return
	}
	if s.Serial != "SIM77" {
		t.Errorf("the serial number is seen as %q", s.Serial)
	}
	p, err := sim.Show("900")
	if err != nil || p.Name != "Written By Npm" || p.PIN != "4321" || p.Card != 6543 || p.UID != 900 {
		t.Errorf("what the client wrote is %+v, %v", p, err)
	}
	if _, err := sim.Show("901"); err == nil {
		t.Error("what the client deleted is still there")
	}
}
