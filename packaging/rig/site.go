package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Site is a doorsync-agent with its configuration.
type Site struct {
	*Process
	Name    string
	Dir     string // configuration, data and log
	Data    string // the journal's folder; Dir/data unless set before Start
	Broker  string // host:port
	KeyFile string
	Readers []string // the readers' sections, each one line of YAML
	Extra   string   // further lines of the configuration

	program string
}

// NewSite prepares a site: nothing runs yet.
func NewSite(p Programs, name, dir, broker, keyFile string, readers ...string) (*Site, error) {
	s := &Site{Name: name, Dir: dir, Data: filepath.Join(dir, "data"), Broker: broker, KeyFile: keyFile, Readers: readers, program: p.Agent}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("prepare site %s: %w", name, err)
	}
	return s, nil
}

// Zk is the section of a ZKTeco terminal, with more keys if there are any.
func Zk(name, address string, more ...string) string {
	return fmt.Sprintf(`{%s}`, strings.Join(append([]string{"name: " + name, "driver: zk", `address: "` + address + `"`}, more...), ", "))
}

// Uhppote is the section of a UHPPOTE controller whose first door opens for
// everybody, with more keys if there are any.
func Uhppote(name, address string, serial uint32, more ...string) string {
	return fmt.Sprintf(`{%s}`, strings.Join(append([]string{
		"name: " + name, "driver: uhppote", `address: "` + address + `"`, fmt.Sprintf(`serial: "%d"`, serial), `doors: {1: ["*"]}`,
	}, more...), ", "))
}

// Config is the path of the configuration.
func (s *Site) Config() string { return filepath.Join(s.Dir, "agent.yaml") }

// Journal is the path of the journal.
func (s *Site) Journal() string { return filepath.Join(s.Data, "journal.db") }

func (s *Site) write() error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "site: %s\ndata: %s\ncenter: {broker: \"mqtt://%s\", key-file: %s}\ncontrol: %s\n%sreaders:\n",
		s.Name, s.Data, s.Broker, s.KeyFile, s.control(), s.Extra)
	for _, r := range s.Readers {
		fmt.Fprintf(&b, "  - %s\n", r)
	}
	return os.WriteFile(s.Config(), []byte(b.String()), 0o600)
}

// control is kept out of the data folder, which tests fill up.
func (s *Site) control() string { return filepath.Join(s.Dir, "control.sock") }

// Run starts the agent, also again after it was stopped or killed, without
// waiting for anything.
func (s *Site) Run() error {
	if err := s.write(); err != nil {
		return fmt.Errorf("configure site %s: %w", s.Name, err)
	}
	var err error
	s.Process, err = Start("doorsync-agent "+s.Name, filepath.Join(s.Dir, "log"), s.program, "run", "--config", s.Config())
	return err
}

// Start is Run, and waits until the agent answers its command line.
func (s *Site) Start(ctx context.Context) error {
	if err := s.Run(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return s.Until(ctx, "the agent answers", func(ctx context.Context) bool {
		_, err := s.Command(ctx, "readers", "--json")
		return err == nil
	})
}

// Command runs the agent's command line against the running agent.
func (s *Site) Command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, s.program, append(args, "--config", s.Config())...)
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("doorsync-agent %s: %w: %s", strings.Join(args, " "), err, stderr(err))
	}
	return out, nil
}

func stderr(err error) string {
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it bare
		return strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}
