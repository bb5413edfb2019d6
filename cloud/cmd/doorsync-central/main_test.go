package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"doorsync/cloud"
	"doorsync/cloud/config"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"doorsync-central": main})
}

// TestScripts are the command line as people use it, against a center that
// runs.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TZ", "UTC")
			e.Setenv("SUDO_USER", "anna")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"center": startCenter, "masked": masked, "code": code},
	})
}

// startCenter runs a center until the script ends, and lets the commands find
// it.
func startCenter(ts *testscript.TestScript, _ bool, _ []string) {
	cfg := config.Default()
	cfg.Data = ts.MkAbs("data")
	cfg.Broker.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.API.TokenFile = filepath.Join(cfg.Data, "api.token")
	ctx, stop := context.WithCancel(context.Background())
	started, ended := make(chan cloud.Addresses, 1), make(chan error, 1)
	go func() {
		ended <- cloud.Run(ctx, cfg, cloud.Options{Version: "v1.2.3", Started: func(a cloud.Addresses) { started <- a }})
	}()
	ts.Defer(func() {
		stop()
		if err := <-ended; err != nil {
			ts.Fatalf("center: %v", err)
		}
	})
	select {
	case a := <-started:
		ts.Setenv("DOORSYNC_API", "http://"+a.API)
		ts.Setenv("DOORSYNC_TOKEN_FILE", cfg.API.TokenFile)
	case err := <-ended:
		ended <- nil
		ts.Fatalf("center: %v", err)
	case <-time.After(10 * time.Second):
		ts.Fatalf("the center does not start")
	}
}

// masked writes what was printed last into a file, with what differs from run
// to run replaced.
func masked(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: masked file")
	}
	text := strings.ReplaceAll(ts.ReadFile("stdout"), ts.Getenv("WORK"), "$WORK")
	for _, m := range []struct{ what, with string }{
		{`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`, "####-##-## ##:##:##"},
		{`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "<guid>"},
		{`\b[0-9a-f]{32}\b`, "<id>"},
		{`(?m)^(took +)\S+$`, "${1}#"},
	} {
		text = regexp.MustCompile(m.what).ReplaceAllString(text, m.with)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

// code runs a command and demands its exit code.
func code(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func TestCredentialKey(t *testing.T) {
	want := string(protocol.Card(6543).Key())
	for _, number := range []string{"6543", "0006543"} {
		if got, err := credentialKey(nil, number); err != nil || got != want {
			t.Errorf("%s: got %q, %v", number, got, err)
		}
	}
	for _, bad := range [][]string{{}, {"a", ""}} {
		if _, err := credentialKey(bad, map[bool]string{true: "6543"}[len(bad) > 0]); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}

func TestReachable(t *testing.T) {
	for listen, want := range map[string]string{
		":8480": "127.0.0.1:8480", "0.0.0.0:1": "127.0.0.1:1", "[::]:2": "127.0.0.1:2", "10.0.0.5:3": "10.0.0.5:3", "center:4": "center:4",
	} {
		if got := reachable(listen); got != want {
			t.Errorf("%s: got %s, want %s", listen, got, want)
		}
	}
}

func TestModesAreThoseOfTheWire(t *testing.T) {
	for _, m := range config.Modes() {
		if m != wire.ModeOff && m != wire.ModeAll && m != wire.ModeAllReaders && m != wire.ModeGroups {
			t.Errorf("unknown mode %q", m)
		}
	}
}
