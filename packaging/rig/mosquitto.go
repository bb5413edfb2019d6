package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Mosquitto is a broker that is not ours, set up as the sample files say.
type Mosquitto struct {
	*Process
	Addr   string
	dir    string
	binary string
}

// NewMosquitto prepares a broker with accounts; samples is the folder of the
// sample files.
func NewMosquitto(ctx context.Context, dir, samples string, passwords map[string]string) (*Mosquitto, error) {
	binary, err := find("mosquitto")
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("prepare mosquitto: %w", err)
	}
	m := &Mosquitto{Addr: addr, dir: dir, binary: binary}
	if err := m.configure(samples); err != nil {
		return nil, fmt.Errorf("prepare mosquitto: %w", err)
	}
	return m, m.accounts(ctx, passwords)
}

// configure takes the samples and puts in its own address and paths.
func (m *Mosquitto) configure(samples string) error {
	conf, err := os.ReadFile(filepath.Join(samples, "mosquitto.conf"))
	if err != nil {
		return err
	}
	acl, err := os.ReadFile(filepath.Join(samples, "mosquitto.acl"))
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(m.Addr)
	if err != nil {
		return err
	}
	text := strings.NewReplacer(
		"listener 1883", "listener "+port+" "+host,
		"/etc/mosquitto/doorsync.passwd", m.passwords(),
		"/etc/mosquitto/doorsync.acl", filepath.Join(m.dir, "acl"),
	).Replace(string(conf))
	// Started as root it would become another user, who cannot read a test's folder.
	text += "\nuser root\n"
	if err := os.WriteFile(filepath.Join(m.dir, "mosquitto.conf"), []byte(text), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(m.dir, "acl"), acl, 0o600)
}

func (m *Mosquitto) passwords() string { return filepath.Join(m.dir, "passwd") }

func (m *Mosquitto) accounts(ctx context.Context, passwords map[string]string) error {
	tool, err := find("mosquitto_passwd")
	if err != nil {
		return err
	}
	if err := os.WriteFile(m.passwords(), nil, 0o600); err != nil {
		return fmt.Errorf("prepare mosquitto: %w", err)
	}
	for user, password := range passwords {
		if out, err := exec.CommandContext(ctx, tool, "-b", m.passwords(), user, password).CombinedOutput(); err != nil {
			return fmt.Errorf("make account %s: %w: %s", user, err, out)
		}
	}
	return nil
}

// Run starts the broker, also again after it was killed, without waiting.
func (m *Mosquitto) Run() error {
	var err error
	m.Process, err = Start("mosquitto", filepath.Join(m.dir, "log"), m.binary, "-c", filepath.Join(m.dir, "mosquitto.conf"))
	return err
}

// Start is Run, and waits until the broker listens.
func (m *Mosquitto) Start(ctx context.Context) error {
	if err := m.Run(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return m.Until(ctx, "mosquitto listens", func(ctx context.Context) bool {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.Addr)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
}

// find looks where Debian puts servers, too.
func find(name string) (string, error) {
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, nil
		}
	}
	return "", errors.New(name + " is missing: run \"make needs\", or install it (Debian: sudo apt-get install mosquitto)")
}
