package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/firmware-bridge/catalog"
	"doorsync/firmware-bridge/driver"
)

// running starts "run" with the readers given and returns where they listen and
// how to give further commands.
func running(t *testing.T, args ...string) (map[string]status, func(want int, args ...string) string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "readersim") // short: the path of a socket may not be long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, append([]string{"run", "--json", "--control", socket}, args...), w, os.Stderr)
		_ = w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("run ended with %d", code)
		}
	})
	up := map[string]status{}
	dec := json.NewDecoder(r)
	for range strings.Count(strings.Join(args, " "), "name=") {
		var s status
		if err := dec.Decode(&s); err != nil {
			t.Fatalf("run printed no reader: %v", err)
		}
		up[s.Name] = s
	}
	return up, func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		code := execute(t.Context(), append(args, "--control", socket), &out, &errOut)
		if code != want {
			t.Fatalf("%v: exit code %d, want %d\n%s", args, code, want, errOut.String())
		}
		return out.String() + errOut.String()
	}
}

func contains(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in\n%s", w, text)
		}
	}
}

func TestActsAtATerminal(t *testing.T) {
	up, do := running(t, "--terminal", "name=front,listen=127.0.0.1:0,key=1234")
	do(0, "enroll", "front", "--id", "4", "--name", "Anna Meyer", "--card", "6543", "--pin", "1234", "--finger", "6,7")
	contains(t, do(0, "list", "front"), "Anna Meyer", "6543", "****", "6,7", "active")
	do(0, "edit", "front", "--id", "4", "--name", "Anna Schulz", "--pin", "", "--remove-finger", "6", "--disabled")
	out := do(0, "list", "front", "--json")
	contains(t, out, `"name":"Anna Schulz"`, `"has_pin":false`, `"fingers":[7]`, `"disabled":true`)
	do(0, "present", "front", "--id", "4")
	contains(t, do(0, "list"), "front", up["front"].Address, "SIM-FRONT")

	d, err := catalog.New(driver.Config{Name: "front", Driver: "zk", Address: up["front"].Address, Password: "1234"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	rows, err := s.List(t.Context())
	if err != nil || len(rows) != 1 || rows[0].Key != "4" || rows[0].User.Active() {
		t.Errorf("the driver lists %v, %v", rows, err)
	}
	do(0, "fault", "front", "half")
	if _, err := s.List(t.Context()); err == nil {
		t.Error("the driver lists a terminal that sends half a table")
	}
	do(0, "fault", "front", "none")
	do(0, "delete", "front", "--id", "4")
	if out := do(0, "list", "front", "--json"); out != "" {
		t.Errorf("after the delete: %s", out)
	}
}

func TestActsAtAController(t *testing.T) {
	_, do := running(t, "--controller", "name=gate,listen=127.0.0.1:0,serial=405419896")
	do(0, "enroll", "gate", "--card", "6543", "--door", "1,2", "--to", "2030-12-31", "--pin", "77")
	contains(t, do(0, "list", "gate", "--json"), `"card":6543`, `"doors":[1,2]`, `"to":"2030-12-31"`, `"has_pin":true`)
	do(0, "edit", "gate", "--id", "6543", "--door", "3")
	do(0, "present", "gate", "--id", "6543")
	contains(t, do(0, "list", "gate"), "3", "2000-01-01..2030-12-31")
	contains(t, do(1, "enroll", "gate", "--card", "5", "--name", "Anna"), "cards alone")
	do(0, "delete", "gate", "--id", "6543")
	do(3, "delete", "gate", "--id", "6543")
}

func TestExitCodes(t *testing.T) {
	_, do := running(t, "--terminal", "name=front,listen=127.0.0.1:0")
	contains(t, do(3, "list", "back"), `"back"`)
	contains(t, do(3, "edit", "front", "--id", "9", "--name", "X"), "no such user")
	contains(t, do(1, "enroll", "front", "--name", "X"), "--id")
	do(0, "enroll", "front", "--id", "4")
	contains(t, do(1, "enroll", "front", "--id", "4"), "has a user with this ID")
	do(2, "enroll")
	do(2, "enroll", "front", "--colour", "red")
	do(2, "delete", "front")
	do(2, "dance")
	contains(t, do(1, "run", "--terminal", "name=other,listen=127.0.0.1:0"), "another doorsync-readersim")

	var out bytes.Buffer
	if code := execute(t.Context(), []string{"list", "--control", filepath.Join(t.TempDir(), "none")}, &out, &out); code != 4 {
		t.Errorf("nobody runs: exit code %d", code)
	}
}

func TestRunReportsAllFaults(t *testing.T) {
	var out bytes.Buffer
	code := execute(t.Context(), []string{
		"run", "--terminal", "listen=127.0.0.1:0,users=64byte", "--terminal", "name=a,colour=red,key=x",
		"--terminal", "name=b", "--controller", "name=b,serial=1",
	}, &out, &out)
	if code != 2 {
		t.Errorf("exit code %d", code)
	}
	contains(t, out.String(), "needs name=", "64byte", "colour", "key=x", "two readers are named b")
}

func TestMemoryInADirectory(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	for round := range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		readers, err := parseReaders([]string{"name=front,listen=127.0.0.1:0"}, nil, dir)
		if err != nil {
			t.Fatal(err)
		}
		err = run(ctx, socket, readers, func() error {
			if round == 0 {
				err := readers[0].hands.enroll(person{ID: "4", Fingers: []int{1}})
				cancel()
				return err
			}
			cancel()
			if p := readers[0].hands.people(); len(p) != 1 || p[0].ID != "4" || len(p[0].Fingers) != 1 {
				t.Errorf("after a restart: %+v", p)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
