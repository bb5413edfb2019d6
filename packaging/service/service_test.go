package service_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"doorsync/packaging/service"
)

var config = service.Config{
	Name: "doorsync-agent", DisplayName: "doorsync agent", Description: "Keeps 100% of the readers in step",
	Args: []string{"run", "--config", "/etc/door sync/$a.yaml"}, Data: "/srv/doorsync",
}

func TestUnit(t *testing.T) {
	got := service.Unit(config, "/usr/bin/doorsync-agent")
	for _, line := range []string{
		`Description=Keeps 100%% of the readers in step`,
		`ExecStart="/usr/bin/doorsync-agent" "run" "--config" "/etc/door sync/$$a.yaml"`,
		"User=doorsync", "Restart=always", "RestartSec=1", "StartLimitIntervalSec=0",
		`ReadWritePaths="/srv/doorsync"`, "NoNewPrivileges=yes", "ProtectSystem=strict",
	} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if strings.Contains(got, "{{") || strings.Contains(got, "%!") {
		t.Errorf("unit with leftovers:\n%s", got)
	}
}

func TestUnitDataBelowVarLib(t *testing.T) {
	c := config
	c.Data = "/var/lib/doorsync/agent"
	if got := service.Unit(c, "/x"); !strings.Contains(got, "\nStateDirectory=\"doorsync/agent\"\n") {
		t.Errorf("got\n%s", got)
	}
}

// TestRun runs this test binary as the program, because signals and exit codes
// are a process's.
func TestRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no signals there; the service manager is tried with installers
	}
	t.Run("stops on a signal and waits", func(t *testing.T) {
		cmd, out := child(t, "wait")
		waitFor(t, out, "started")
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "stopped in order") {
			t.Errorf("got %v, output %s", err, out.String())
		}
	})
	t.Run("an error is an exit code", func(t *testing.T) {
		cmd, out := child(t, "fail")
		err := cmd.Wait()
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 || !strings.Contains(out.String(), "disk on fire") {
			t.Errorf("got %v, output %s", err, out.String())
		}
	})
}

func child(t *testing.T, how string) (*exec.Cmd, *output) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "DOORSYNC_SERVICE_TEST="+how)
	out := &output{grown: make(chan struct{}, 1)}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

func TestMain(m *testing.M) {
	how := os.Getenv("DOORSYNC_SERVICE_TEST")
	if how == "" {
		os.Exit(m.Run())
	}
	err := service.Run(config, func(ctx context.Context) error {
		if how == "fail" {
			return errors.New("disk on fire")
		}
		os.Stdout.WriteString("started\n")
		<-ctx.Done()
		os.Stdout.WriteString("stopped in order\n")
		return nil
	})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

// output collects what a child prints and says when there is more.
type output struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	grown chan struct{}
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grown <- struct{}{}:
	default:
	}
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func waitFor(t *testing.T, o *output, text string) {
	t.Helper()
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.grown:
		case <-t.Context().Done():
			t.Fatalf("never printed %q: %s", text, o.String())
		case <-time.After(15 * time.Second):
			t.Fatalf("never printed %q: %s", text, o.String())
		}
	}
}

// TestNothingIsTouchedWithoutRights also covers machines without a manager:
// either way the error says what to do.
func TestNothingIsTouchedWithoutRights(t *testing.T) {
	missing := service.Config{Name: "doorsync-never-installed"}
	for verb, do := range map[string]func(service.Config) error{
		"uninstall": service.Uninstall, "start": service.Start, "stop": service.Stop,
	} {
		err := do(missing)
		if !errors.Is(err, service.ErrRights) && !errors.Is(err, service.ErrNoManager) && !errors.Is(err, service.ErrNotInstalled) {
			t.Errorf("%s: got %v", verb, err)
		}
	}
}
