package uhpposim_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	uhpposim "doorsync/firmware-bridge/sim/uhppote"
	"doorsync/firmware-bridge/uhppote/packet"
)

// TestIndependentClient: a client of somebody else's making, which lives in
// packaging/tools, understands the simulated controller, and is understood.
func TestIndependentClient(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "uhppoteclient.exe")
	build := exec.Command("go", "build", "-o", bin, "./uhppoteclient")
	build.Dir = filepath.Join("..", "..", "..", "packaging", "tools")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the independent client: %v\n%s\nrun: make tools", err, out)
	}
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			sim := start(t, uhpposim.Options{EventCapacity: 3})
			c := startClient(t, bin, sim, network)
			t.Run("cards", func(t *testing.T) { clientCards(t, c, sim) })
			t.Run("events", func(t *testing.T) { clientEvents(t, c, sim) })
			t.Run("itself", func(t *testing.T) { clientItself(t, c) })
		})
	}
}

func clientCards(t *testing.T, c *client, sim *uhpposim.Controller) {
	c.says(t, "put 8165538 2023-01-01 2029-12-31 1,0,29,0 7531", `true`)
	c.says(t, "put 7 2023-01-01 2029-12-31 0,1,0,1 0", `true`)
	want := packet.Card{Number: 8165538, From: 20230101, To: 20291231, Doors: [4]uint8{1, 0, 29, 0}, PIN: 7531}
	if got := sim.Cards(); len(got) != 2 || got[0] != want {
		t.Fatalf("the controller holds %v", got)
	}
	const shown = `{"PIN":"7531","card-number":8165538,"doors":{"1":1,"2":0,"3":29,"4":0},"end-date":"2029-12-31","start-date":"2023-01-01"}`
	c.says(t, "count", `2`)
	c.says(t, "get 8165538", shown)
	c.says(t, "at 1", shown)
	c.says(t, "get 99", `null`)
	c.says(t, "delete 8165538", `true`)
	c.says(t, "delete 8165538", `false`)
	c.says(t, "at 1", `null`)
	c.says(t, "count", `1`)
	c.says(t, "clear", `true`)
	c.says(t, "count", `0`)
}

func clientEvents(t *testing.T, c *client, sim *uhpposim.Controller) {
	for n := range uint32(5) {
		if _, err := sim.Swipe(100+n, 2, 0); err != nil {
			t.Fatal(err)
		}
	}
	c.holds(t, "event 5", `"CardNumber":104`, `"Door":2`, `"Reason":18`)
	c.holds(t, "event 4294967295", `"CardNumber":104`)
	c.holds(t, "event 0", `"CardNumber":102`)
	c.holds(t, "event 1", "overwritten")
	c.says(t, "event 99", `null`)
	c.holds(t, "mark 4", `"Changed":true`)
	c.holds(t, "status", `104`)
}

func clientItself(t *testing.T, c *client) {
	c.holds(t, "device", "405419896", "2018-11-05", "0892")
	c.says(t, "listener 192.168.1.100:60001", `true`)
	c.says(t, "listener", `"192.168.1.100:60001"`)
	at := time.Date(2030, 7, 1, 12, 0, 0, 0, time.Local)
	c.holds(t, fmt.Sprint("settime ", at.Unix()), "2030-07-01 12:00:0")
	c.holds(t, "time", "2030-07-01 12:00:0")
}

// client is the independent client, running.
type client struct {
	in  io.Writer
	out *bufio.Scanner
}

func startClient(t *testing.T, bin string, sim *uhpposim.Controller, network string) *client {
	t.Helper()
	cmd := exec.Command(bin, sim.Addr(), sim.Serial(), network)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close() // ends it
		if err := cmd.Wait(); err != nil {
			t.Errorf("independent client: %v", err)
		}
	})
	return &client{in: in, out: bufio.NewScanner(out)}
}

func (c *client) ask(t *testing.T, request string) string {
	t.Helper()
	if _, err := fmt.Fprintln(c.in, request); err != nil {
		t.Fatal(err)
	}
	if !c.out.Scan() {
		t.Fatalf("%s: the client ended", request)
	}
	return c.out.Text()
}

// says asks and compares the answer, keys sorted.
func (c *client) says(t *testing.T, request, want string) {
	t.Helper()
	var a struct{ OK any }
	line := c.ask(t, request)
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		t.Fatal(err)
	}
	if got, _ := json.Marshal(a.OK); string(got) != want {
		t.Errorf("%s: %s; want %s", request, line, want)
	}
}

// holds asks and looks for what the answer must mention.
func (c *client) holds(t *testing.T, request string, want ...string) {
	t.Helper()
	got := c.ask(t, request)
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s: %s; want %s in it", request, got, w)
		}
	}
}

// TestOnlyDeviceAnswersSerialZero: a request for the device with serial 0 is
// answered, any other is not.
func TestOnlyDeviceAnswersSerialZero(t *testing.T) {
	sim := start(t, uhpposim.Options{})
	for op, answered := range map[packet.Op]bool{packet.OpDevice: true, packet.OpCountCards: false} {
		conn, err := net.Dial("udp", sim.Addr())
		if err != nil {
			t.Fatal(err)
		}
		p := packet.New(op, 0)
		if _, err := conn.Write(p[:]); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, err = conn.Read(make([]byte, 64))
		if (err == nil) != answered {
			t.Errorf("%#x with serial 0: %v", op, err)
		}
		_ = conn.Close()
	}
}
