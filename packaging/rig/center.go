package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"doorsync/cloud/api/client"
)

// Center is a doorsync-central with its configuration.
type Center struct {
	*Process
	*client.Client
	Dir    string // configuration, data and log
	Broker string // where sites connect to
	API    string
	// External is the URL of a broker that is not the center's own; Password
	// is that of the center's account there.
	External string
	Password string
	Sites    []string

	program string
}

// NewCenter prepares a center: nothing runs yet.
func NewCenter(p Programs, dir string, sites ...string) (*Center, error) {
	c := &Center{Dir: dir, Sites: sites, program: p.Central}
	var err error
	if c.Broker, err = FreeAddress(); err != nil {
		return nil, err
	}
	if c.API, err = FreeAddress(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.data(), 0o700); err != nil {
		return nil, fmt.Errorf("prepare center: %w", err)
	}
	return c, nil
}

func (c *Center) data() string { return filepath.Join(c.Dir, "data") }

// Config is the path of the configuration.
func (c *Center) Config() string { return filepath.Join(c.Dir, "central.yaml") }

// Database is the path of the roster.
func (c *Center) Database() string { return filepath.Join(c.data(), "roster.db") }

// KeyFile is where the center puts the key of a site at its first start.
func (c *Center) KeyFile(site string) string { return filepath.Join(c.Dir, site+".key") }

func (c *Center) write() error {
	var b strings.Builder
	fmt.Fprintf(&b, "data: %s\napi: {listen: \"%s\"}\n", c.data(), c.API)
	if c.External == "" {
		fmt.Fprintf(&b, "broker: {listen: \"%s\"}\n", c.Broker)
	} else {
		password := filepath.Join(c.Dir, "broker.password")
		if err := os.WriteFile(password, []byte(c.Password+"\n"), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(&b, "broker: {url: \"%s\", username: central, password-file: %s}\n", c.External, password)
	}
	b.WriteString("sites:\n")
	for _, s := range c.Sites {
		fmt.Fprintf(&b, "  - {name: %s, key-file: %s}\n", s, c.KeyFile(s))
	}
	return os.WriteFile(c.Config(), []byte(b.String()), 0o600)
}

// Run starts the center, also again after it was stopped or killed, without
// waiting for anything.
func (c *Center) Run() error {
	if err := c.write(); err != nil {
		return fmt.Errorf("configure center: %w", err)
	}
	var err error
	c.Process, err = Start("doorsync-central", filepath.Join(c.Dir, "log"), c.program, "run", "--config", c.Config())
	return err
}

// Start is Run, and waits until the center answers.
func (c *Center) Start(ctx context.Context) error {
	if err := c.Run(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return c.Until(ctx, "the center answers", c.ready)
}

func (c *Center) ready(ctx context.Context) bool {
	token, err := os.ReadFile(filepath.Join(c.data(), "api.token"))
	if err != nil {
		return false
	}
	c.Client = client.New("http://"+c.API, strings.TrimSpace(string(token)), "rig")
	_, err = c.Health(ctx)
	return err == nil
}

// Command runs the center's command line against the running center and returns
// what it prints. A command that fails is an *exec.ExitError somewhere in the
// error.
func (c *Center) Command(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, c.program, append(args, "--config", c.Config())...)
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("doorsync-central %s: %w: %s", strings.Join(args, " "), err, stderr(err))
	}
	return out, nil
}
