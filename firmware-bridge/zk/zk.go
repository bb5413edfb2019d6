// Package zk drives ZKTeco terminals over their standalone protocol (TCP and
// UDP port 4370): users with PIN, card and fingerprints, live events, operation
// log and clock. DESIGN.md says why it does what it does.
package zk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport"
	"doorsync/firmware-bridge/zk/frame"
)

// Port is the port that terminals listen on.
const Port = 4370

// defaultTimeout is how long one answer may take. Terminals answer within
// milliseconds, but a busy one leaves its client waiting.
const defaultTimeout = 5 * time.Second

// Option keys that the configuration of a terminal may have.
const (
	optionCharset      = "charset"      // code page of names: utf-8 (default), gb18030, windows-1252 …
	optionUsers        = "users"        // width of user records: auto (default), 28byte, 72byte
	optionFingerprints = "fingerprints" // auto (default), zk9, zk10, off
	optionChecksum     = "checksum"     // strict (default), ignore
)

// Driver makes sessions with one terminal.
type Driver struct {
	cfg     driver.Config
	key     uint32
	hasKey  bool
	charset charset
	width   int    // 0: as the terminal has it
	fingers string // "": as the terminal says; "off"
	lenient bool   // wrong checksums are let pass
	log     *slog.Logger
}

var _ driver.Driver = (*Driver)(nil)

// New checks what the configuration says of a terminal and connects to
// nothing. All faults are reported at once.
func New(cfg driver.Config) (driver.Driver, error) {
	d := &Driver{cfg: cfg, log: cfg.Logger}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	err := errors.Join(d.checkAddress(), d.checkKey(), d.checkOptions())
	if len(cfg.Doors) > 0 {
		err = errors.Join(err, errors.New("doors: a terminal has one door and no door table; leave it out"))
	}
	if err != nil {
		return nil, fmt.Errorf("reader %q: %w", cfg.Name, err)
	}
	return d, nil
}

func (d *Driver) checkAddress() error {
	address, err := transport.WithPort(d.cfg.Address, Port)
	d.cfg.Address = address
	switch d.cfg.Network {
	case "":
		d.cfg.Network = "tcp"
	case "tcp", "udp":
	default:
		err = errors.Join(err, fmt.Errorf("network %q: write tcp or udp", d.cfg.Network))
	}
	if d.cfg.Timeout < 0 {
		err = errors.Join(err, errors.New("timeout: must not be negative"))
	}
	if d.cfg.Timeout == 0 {
		d.cfg.Timeout = defaultTimeout
	}
	return err
}

func (d *Driver) checkKey() error {
	if d.cfg.Password == "" {
		return nil
	}
	key, err := strconv.ParseUint(d.cfg.Password, 10, 32)
	if err != nil {
		return errors.New("password: the communication key of a terminal is a number of digits only") // the key itself stays out of it
	}
	d.key, d.hasKey = uint32(key), true
	return nil
}

func (d *Driver) checkOptions() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(d.cfg.Options)) {
		if err := d.setOption(name, fmt.Sprint(d.cfg.Options[name])); err != nil {
			errs = append(errs, err)
		}
	}
	if d.charset == nil {
		d.charset = utf8Charset{}
	}
	return errors.Join(errs...)
}

func (d *Driver) setOption(name, value string) error {
	switch name {
	case optionCharset:
		c, err := newCharset(value)
		d.charset = c
		return err
	case optionUsers:
		return choose(name, value, map[string]func(){
			"auto": func() {}, "28byte": func() { d.width = frame.Width28 }, "72byte": func() { d.width = frame.Width72 },
		})
	case optionFingerprints:
		return choose(name, value, map[string]func(){
			"auto": func() {}, "off": func() { d.fingers = "off" }, "false": func() { d.fingers = "off" },
			"zk9": func() { d.fingers = "zk9" }, "zk10": func() { d.fingers = "zk10" },
		})
	case optionChecksum:
		return choose(name, value, map[string]func(){"strict": func() {}, "ignore": func() { d.lenient = true }})
	default:
		return fmt.Errorf("unknown option %q; known are %s, %s, %s, %s", name, optionCharset, optionChecksum, optionFingerprints, optionUsers)
	}
}

func choose(name, value string, options map[string]func()) error {
	set, ok := options[value]
	if !ok {
		return fmt.Errorf("%s: %q is none of %s", name, value, strings.Join(slices.Sorted(maps.Keys(options)), ", "))
	}
	set()
	return nil
}

// Open connects to the terminal, gives the communication key, and learns what
// the terminal is.
func (d *Driver) Open(ctx context.Context) (driver.Session, error) {
	l, err := dial(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.cfg.Name, err)
	}
	s := newSession(d, l)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", d.cfg.Name, err), s.Close())
	}
	return s, nil
}
