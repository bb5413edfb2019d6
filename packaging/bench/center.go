package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// center is a real doorsync-central, in a process of its own.
type center struct {
	cmd    *exec.Cmd
	conf   string
	broker string
	dir    string
}

// siteSettings is a site of a center's configuration.
type siteSettings struct{ name, rest string }

// everySite are the sites of a journey: where edits are made, where they arrive,
// and one that begins with nothing.
func everySite() []siteSettings { return []siteSettings{{name: "A"}, {name: "B"}, {name: "NEW"}} }

// startCenter writes a configuration and starts the program on free ports.
func startCenter(ctx context.Context, bin, dir string, sites []siteSettings) (*center, error) {
	brokerAt, err := freePort()
	if err != nil {
		return nil, err
	}
	apiAt, err := freePort()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "data: %s\nbroker: {listen: %q}\napi: {listen: %q}\nsites:\n", filepath.Join(dir, "central"), brokerAt, apiAt)
	for _, s := range sites {
		fmt.Fprintf(&b, "  - {name: %s, key-file: %s%s}\n", s.name, filepath.Join(dir, s.name+".key"), s.rest)
	}
	conf := filepath.Join(dir, "central.yaml")
	if err := os.WriteFile(conf, []byte(b.String()), 0o600); err != nil {
		return nil, fmt.Errorf("start center: %w", err)
	}
	c := &center{conf: conf, broker: brokerAt, dir: dir, cmd: exec.CommandContext(ctx, bin, "run", "--config", conf)}
	log, err := os.Create(filepath.Join(dir, "central.log"))
	if err != nil {
		return nil, fmt.Errorf("start center: %w", err)
	}
	c.cmd.Stdout, c.cmd.Stderr = log, log
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start center: %w", err)
	}
	return c, c.ready(ctx, sites[len(sites)-1].name)
}

// ready waits until the broker listens and the last site has its key.
func (c *center) ready(ctx context.Context, last string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", c.broker, time.Second)
		if err == nil {
			_ = conn.Close()
			if _, err = c.key(last); err == nil {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			log, _ := os.ReadFile(filepath.Join(c.dir, "central.log"))
			return fmt.Errorf("start center: not ready: %w\n%s", err, log)
		}
	}
}

func (c *center) key(site string) (string, error) {
	b, err := os.ReadFile(filepath.Join(c.dir, site+".key"))
	if err == nil && len(b) == 0 {
		err = errors.New("the key file is empty")
	}
	return strings.TrimSpace(string(b)), err
}

// readersFirst lets the latest edit at a reader stand before the office's word.
func (c *center) readersFirst(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, c.cmd.Path, "sources", "order", "readers", "office", "--settle", "latest", "--config", c.conf).CombinedOutput()
	if err != nil {
		return fmt.Errorf("order sources: %w: %s", err, out)
	}
	return nil
}

func (c *center) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	return c.cmd.Wait()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
