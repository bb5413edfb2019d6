package rig

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote"
)

// Controller is the independent simulator of a UHPPOTE controller. It holds 64
// cards.
type Controller struct {
	*Process
	Addr    string
	Serial  uint32
	session driver.Session
}

// StartController starts a controller that keeps its cards in dir.
func StartController(ctx context.Context, p Programs, name, dir string, serial uint32) (*Controller, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start controller: %w", err)
	}
	device := fmt.Sprintf(`{"serial-number": %d, "address": "127.0.0.1", "subnet": "255.0.0.0", "gateway": "127.0.0.1",
"MAC": "00:66:19:39:55:2d", "version": "0892", "released": "2020-01-01", "offset": "0s",
"doors": {"1": {"delay": "5s"}, "2": {"delay": "5s"}, "3": {"delay": "5s"}, "4": {"delay": "5s"}},
"cards": [], "time-profiles": {}, "events": {"size": 256, "chunk": 8, "index": 0, "events": []}}`, serial)
	file := filepath.Join(dir, strconv.FormatUint(uint64(serial), 10)+".json")
	if _, err := os.Stat(file); os.IsNotExist(err) {
		if err := os.WriteFile(file, []byte(device), 0o600); err != nil {
			return nil, fmt.Errorf("start controller: %w", err)
		}
	}
	addr, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	rest, err := FreeAddress()
	if err != nil {
		return nil, err
	}
	c := &Controller{Addr: addr, Serial: serial}
	c.Process, err = Start(name, filepath.Join(dir, "log"), p.Uhppote, "--devices", dir, "--bind", addr, "--rest", rest)
	if err != nil {
		return nil, err
	}
	return c, c.Until(ctx, name+" answers", func(ctx context.Context) bool { return c.connect(ctx) == nil })
}

// connect opens the rig's own look at the controller, beside the agent's.
func (c *Controller) connect(ctx context.Context) error {
	d, err := uhppote.New(driver.Config{
		Name: c.Name, Driver: "uhppote", Network: "udp", Address: c.Addr, Serial: strconv.FormatUint(uint64(c.Serial), 10),
		Timeout: 300 * time.Millisecond, Doors: map[int][]string{1: {"*"}},
	})
	if err != nil {
		return err
	}
	c.session, err = d.Open(ctx)
	return err
}

// HasCard asks the controller whether it holds a card.
func (c *Controller) HasCard(ctx context.Context, number uint64) (bool, error) {
	getter, ok := c.session.(driver.Getter)
	if !ok {
		return false, fmt.Errorf("ask %s: its driver has no way to get one card", c.Name)
	}
	rows, err := getter.Get(ctx, []string{"card:" + strconv.FormatUint(number, 10)})
	if err != nil {
		return false, fmt.Errorf("ask %s: %w", c.Name, err)
	}
	return len(rows) == 1, nil
}

// Rows is everything that the controller holds.
func (c *Controller) Rows(ctx context.Context) ([]driver.Row, error) { return c.session.List(ctx) }

// Stop ends the simulator, which knows Ctrl-C only.
func (c *Controller) Stop() error { return c.Interrupt() }
