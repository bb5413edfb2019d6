package uhppote_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/drivertest"
	"doorsync/protocol"
)

// simulatorPackage is a controller that is not ours, pinned in packaging/tools.
const simulatorPackage = "github.com/uhppoted/uhppote-simulator/cmd/uhppote-simulator"

// TestIndependentConformance examines the driver on a controller of somebody
// else's making, within its 64 cards.
func TestIndependentConformance(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			c := people()
			c.Network, c.Many, c.OnePiece = network, 60, true
			c.New = func(t *testing.T, address string) driver.Driver { return newDriver(t, config(network, address)) }
			c.Start = func(t *testing.T) drivertest.Bench { return drivertest.Bench{Address: startIndependent(t).address} }
			drivertest.Run(t, c)
		})
	}
}

// TestIndependentFull: the 65th card is refused, and the others stand.
func TestIndependentFull(t *testing.T) {
	s := session(t, config("udp", startIndependent(t).address))
	var rows []driver.Row
	for i := range 65 {
		rows = append(rows, row(t, s, user(fmt.Sprint(i), []string{"staff"}, nil, uint64(100+i))))
	}
	res, err := s.Put(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range res {
		if (e != nil) != (i == 64) {
			t.Errorf("card %d: %v", i, e)
		}
	}
	if got, err := s.List(t.Context()); err != nil || len(got) != 64 {
		t.Errorf("%d cards, %v; want 64", len(got), err)
	}
}

// TestIndependentSwipes: what happens at the controller is told live, and
// stands in its log.
func TestIndependentSwipes(t *testing.T) {
	sim := startIndependent(t)
	c := config("udp", sim.address)
	c.Options["listen"] = "127.0.0.1:0"
	s := session(t, c)
	u := user("1", []string{"staff"}, values{protocol.FieldPIN: protocol.Text("1234")}, 10058400)
	if res, err := s.Put(t.Context(), []driver.Row{row(t, s, u)}); err != nil || res[0] != nil {
		t.Fatal(err, res)
	}
	before := readLog(t, s, nil)
	notices := watch(t, s, sim.address)
	sim.swipe(t, 10058400, 1234)
	sim.swipe(t, 555, 0)
	want := []driver.Notice{
		{Kind: driver.NoticeEntered, Key: "card:10058400", Detail: "door 1, granted, card presented"},
		{Kind: driver.NoticeUnknown, Key: "card:555", Detail: "door 1, denied, unknown card"},
	}
	for i, w := range want {
		if got := <-notices; got.Kind != w.Kind || got.Key != w.Key || got.Detail != w.Detail {
			t.Errorf("live event %d: %+v; want %+v", i, got, w)
		}
	}
	log := readLog(t, s, before.Cursor)
	if len(log.Notices) != 2 || log.Gap != "" {
		t.Fatalf("log: %+v", log)
	}
	for i, w := range want {
		if got := log.Notices[i]; got.Kind != w.Kind || got.Key != w.Key || got.Detail != w.Detail {
			t.Errorf("event %d in the log: %+v; want %+v", i, got, w)
		}
	}
}

// TestIndependentLogGap: its ring holds 256 events; what fell out is told.
func TestIndependentLogGap(t *testing.T) {
	sim := startIndependent(t)
	s := session(t, config("udp", sim.address))
	cursor := readLog(t, s, nil).Cursor
	for range 300 {
		sim.swipe(t, 555, 0)
	}
	log := readLog(t, s, cursor)
	if log.Gap == "" || len(log.Notices) == 0 || len(log.Notices) >= 300 {
		t.Errorf("%d of 300 events, gap %q", len(log.Notices), log.Gap)
	}
	if again := readLog(t, s, log.Cursor); len(again.Notices) != 0 || again.Gap != "" {
		t.Errorf("read twice: %d events, gap %q", len(again.Notices), again.Gap)
	}
}

type independent struct {
	address string
	rest    string
}

func (i independent) swipe(t *testing.T, card, pin uint32) {
	t.Helper()
	body := fmt.Sprintf(`{"door":1,"card-number":%d,"direction":1,"PIN":%d}`, card, pin)
	url := fmt.Sprintf("http://%s/uhppote/simulator/%s/swipe", i.rest, serial)
	r, err := http.Post(url, "application/json", bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	if r.StatusCode != http.StatusOK {
		t.Fatalf("swipe: %s", r.Status)
	}
}

// simulator builds the program, once for all tests.
var simulator = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch(), "uhppote-simulator.exe")
	cmd := exec.Command("go", "build", "-o", bin, simulatorPackage)
	cmd.Dir = filepath.Join("..", "..", "packaging", "tools")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the independent simulator: %w\n%s\nrun: make tools", err, out)
	}
	return bin, nil
})

// scratch is a folder that outlives each test and not the run.
func scratch() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("doorsync-uhppote-%d", os.Getpid()))
}

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(scratch())
	os.Exit(code)
}

// startIndependent starts a fresh, empty controller.
func startIndependent(t *testing.T) independent {
	t.Helper()
	bin, err := simulator()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	device, err := json.Marshal(map[string]any{
		"serial-number": 405419896, "address": "127.0.0.1", "subnet": "255.255.255.0", "gateway": "127.0.0.1",
		"MAC": "00:12:23:34:45:56", "version": "0892", "released": "2018-11-05", "listener": "0.0.0.0:0",
		"cards": []any{}, "events": map[string]any{"size": 256, "chunk": 8},
		"doors": map[string]any{"1": map[string]any{"control": 3, "delay": "5s"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, serial+".json"), device, 0o600); err != nil {
		t.Fatal(err)
	}
	i := independent{address: freePort(t), rest: freePort(t)}
	out, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "--devices", dir, "--bind", i.address, "--rest", i.rest)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = out.Close()
	})
	i.await(t, out.Name())
	return i
}

// await returns once the controller answers.
func (i independent) await(t *testing.T, output string) {
	t.Helper()
	d := newDriver(t, config("tcp", i.address))
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		s, err := d.Open(t.Context())
		if err != nil {
			continue
		}
		_ = s.Close()
		if c, err := net.DialTimeout("tcp", i.rest, time.Second); err == nil {
			_ = c.Close()
			return
		}
	}
	said, _ := os.ReadFile(output)
	t.Fatalf("the independent simulator does not answer; it said:\n%s", said)
}

// freePort finds a port of the loopback that is free for TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp4", tcp.Addr().String())
		_ = tcp.Close()
		if err != nil {
			continue
		}
		_ = udp.Close()
		return tcp.Addr().String()
	}
	t.Fatal("no free port")
	return ""
}
