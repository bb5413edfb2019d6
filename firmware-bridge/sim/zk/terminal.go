// Package zksim is a ZKTeco terminal that does not exist: it has its own user
// table, templates, operation log and clock, takes one client at a time over
// TCP or UDP and speaks the real dialect, so that drivers, demonstrations and
// independent clients can be tried without a device in the room.
package zksim

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"doorsync/firmware-bridge/zk/frame"
)

// Options describe a simulated terminal. The zero Options are a small terminal
// with 72-byte user records and no communication key.
type Options struct {
	Serial           string           // "SIM0000000001" if empty
	Model            string           // "SimTerminal" if empty
	Firmware         string           // "Ver 6.60 Sim" if empty
	Width            int              // of a user record, 72 (default) or 28
	Key              uint32           // communication key, 0: none
	FingerVersion    string           // fingerprint algorithm, "10" (default) or "9"
	UserCapacity     int              // 10000 if 0
	TemplateCapacity int              // 20000 if 0
	OplogCapacity    int              // 5000 if 0; the oldest entries give way
	StateFile        string           // where the terminal's memory outlives the program, "" for nowhere
	PacketGap        time.Duration    // between the packets of a long answer: some clients need each in a read of its own
	LogRemote        bool             // also log what clients write, as some firmware does
	Now              func() time.Time // the world's clock, time.Now if nil
	Logger           *slog.Logger     // may be nil
}

// Errors of acts at the terminal.
var (
	ErrNoUser   = errors.New("no such user at this terminal")
	ErrExists   = errors.New("the terminal has a user with this ID")
	ErrFull     = errors.New("the terminal is full")
	ErrNotBound = errors.New("call Listen first")
)

// Terminal is a simulated terminal. All methods may be called at any time from
// any goroutine.
type Terminal struct {
	opt    Options
	layout frame.Layout
	tcp    net.Listener
	udp    *net.UDPConn

	mu            sync.Mutex
	enabled       *sync.Cond
	mem           memory
	disabledUntil time.Time // zero: enabled
	unlock        *time.Timer
	active        *session
	lastSession   uint16
	fault         Fault
	offset        time.Duration // of the terminal's clock from the world's
	requests      int
}

// New returns a terminal, with the memory of its state file if there is one.
func New(o Options) (*Terminal, error) {
	o = o.withDefaults()
	layout, err := frame.LayoutOf(o.Width)
	if err != nil {
		return nil, fmt.Errorf("simulated terminal: width %d: give 28 or 72", o.Width)
	}
	t := &Terminal{opt: o, layout: layout, mem: newMemory(), lastSession: 0x1f2d}
	t.enabled = sync.NewCond(&t.mu)
	if o.StateFile != "" {
		if err := t.mem.load(o.StateFile, layout); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (o Options) withDefaults() Options {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	size := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	set(&o.Serial, "SIM0000000001")
	set(&o.Model, "SimTerminal")
	set(&o.Firmware, "Ver 6.60 Sim")
	set(&o.FingerVersion, "10")
	size(&o.Width, frame.Width72)
	size(&o.UserCapacity, 10000)
	size(&o.TemplateCapacity, 20000)
	size(&o.OplogCapacity, 5000)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Serial is the terminal's own number.
func (t *Terminal) Serial() string { return t.opt.Serial }

// Connected reports whether a client has the terminal's one session.
func (t *Terminal) Connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.active != nil && t.active.authorized
}

// Disabled reports whether a client has locked the terminal's keys.
func (t *Terminal) Disabled() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.disabled()
}

// Requests counts what clients have asked so far.
func (t *Terminal) Requests() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests
}

// Clock is what the terminal's display shows, its zone not included.
func (t *Terminal) Clock() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.clock()
}

func (t *Terminal) clock() time.Time { return t.opt.Now().Add(t.offset) }

func (t *Terminal) disabled() bool {
	return !t.disabledUntil.IsZero() && t.opt.Now().Before(t.disabledUntil)
}

// disable locks the terminal's keys; a time limit unlocks them by itself.
func (t *Terminal) disable(d time.Duration) {
	t.enable()
	t.disabledUntil = t.opt.Now().Add(24 * time.Hour)
	if d > 0 {
		t.disabledUntil = t.opt.Now().Add(d)
		t.unlock = time.AfterFunc(d, func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.enabled.Broadcast()
		})
	}
}

func (t *Terminal) enable() {
	if t.unlock != nil {
		t.unlock.Stop()
	}
	t.unlock, t.disabledUntil = nil, time.Time{}
	t.enabled.Broadcast()
}
