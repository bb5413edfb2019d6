// Package uhpposim is a UHPPOTE controller that does not exist: it has its own
// card table with slots, event ring, clock and listener and speaks the real
// language over UDP and TCP, with room for as many cards as a test wants.
package uhpposim

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"doorsync/firmware-bridge/uhppote/packet"
)

// Options describe a simulated controller. The zero Options are one of four
// doors with room for 40,000 cards.
type Options struct {
	Serial        uint32           // 405419896 if 0
	Capacity      int              // cards, 40000 if 0
	EventCapacity int              // 1000 if 0; the oldest give way
	StateFile     string           // where the controller's memory outlives the program, "" for nowhere
	Latency       time.Duration    // before each answer, as slow as a real controller
	Zone          *time.Location   // of the controller's clock, time.Local if nil
	Now           func() time.Time // the world's clock, time.Now if nil
	Logger        *slog.Logger     // may be nil
}

// Errors of acts at the controller.
var (
	ErrNoCard   = errors.New("no such card in this controller")
	ErrFull     = errors.New("the controller is full")
	ErrIllegal  = errors.New("the controller takes this number for no card")
	ErrNotBound = errors.New("call Listen first")
)

// Fault is how a controller misbehaves.
type Fault struct {
	Silent  bool // answers nothing
	Missing int  // so many of the last cards are counted and not shown by index
}

// Controller is a simulated controller. All methods may be called at any time
// from any goroutine.
type Controller struct {
	opt Options
	tcp net.Listener
	udp *net.UDPConn

	mu       sync.Mutex
	table    table
	events   ring
	listener netip.AddrPort
	offset   time.Duration // of the controller's clock from the world's
	fault    Fault
	requests int
}

// New returns a controller, with the memory of its state file if there is one.
func New(o Options) (*Controller, error) {
	o = o.withDefaults()
	c := &Controller{opt: o, table: newTable(o.Capacity), events: ring{capacity: o.EventCapacity}}
	if o.StateFile != "" {
		if err := c.load(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (o Options) withDefaults() Options {
	if o.Serial == 0 {
		o.Serial = 405419896
	}
	if o.Capacity <= 0 {
		o.Capacity = 40000
	}
	if o.EventCapacity <= 0 {
		o.EventCapacity = 1000
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Serial is the controller's own number.
func (c *Controller) Serial() string { return strconv.FormatUint(uint64(c.opt.Serial), 10) }

// SetFault makes the controller misbehave from now on.
func (c *Controller) SetFault(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

// Requests is how many requests the controller has been asked.
func (c *Controller) Requests() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests
}

// Cards are the cards in the controller, by slot.
func (c *Controller) Cards() []packet.Card {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.table.cards()
}

// PutCard writes a card past the network, as other software would.
func (c *Controller) PutCard(card packet.Card) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.table.put(card); err != nil {
		return err
	}
	return c.save()
}

// DeleteCard takes a card out of the controller past the network.
func (c *Controller) DeleteCard(number uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.table.delete(number) {
		return ErrNoCard
	}
	return c.save()
}

// Swipe presents a card at a door, with a PIN typed or 0, and tells whether the
// door opened.
func (c *Controller) Swipe(number uint32, door uint8, pin uint32) (bool, error) {
	if door < 1 || door > 4 {
		return false, fmt.Errorf("door %d: a controller has doors 1 to 4", door)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := packet.Event{Type: packet.EventSwipe, Door: door, Direction: 1, Card: number, At: c.wall()}
	e.Reason = c.judge(number, door, pin, packet.DateOf(e.At))
	e.Granted = e.Reason == packet.ReasonSwipe
	c.happen(e)
	return e.Granted, c.save()
}

// PowerOn logs that the controller was switched on.
func (c *Controller) PowerOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.happen(packet.Event{Type: packet.EventAlarm, At: c.wall(), Reason: packet.ReasonPowerOn})
}

// ClearEvents empties the event log; the next event has index 1 again.
func (c *Controller) ClearEvents() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events.clear()
}

func (c *Controller) judge(number uint32, door uint8, pin uint32, today packet.Date) uint8 {
	card, ok := c.table.find(number)
	switch {
	case !ok:
		return packet.ReasonUnknownCard
	case card.Doors[door-1] == 0 || card.From > today || card.To < today:
		return packet.ReasonNoPrivilege
	case pin != 0 && pin != card.PIN:
		return packet.ReasonWrongPIN
	default:
		return packet.ReasonSwipe
	}
}

// happen logs an event and sends it to the listener. c.mu is held.
func (c *Controller) happen(e packet.Event) {
	e = c.events.add(e)
	if !c.listener.IsValid() || c.listener.Port() == 0 || c.udp == nil || c.fault.Silent {
		return
	}
	p := c.status(packet.New(packet.OpStatus, c.opt.Serial), e)
	if _, err := c.udp.WriteToUDPAddrPort(p[:], c.listener); err != nil {
		c.opt.Logger.Warn("live event not sent", "listener", c.listener, "error", err)
	}
}

// wall is the time on the controller's clock. c.mu is held.
func (c *Controller) wall() time.Time { return c.opt.Now().Add(c.offset).In(c.opt.Zone) }
