package uhpposim

import (
	"time"

	"doorsync/firmware-bridge/uhppote/packet"
)

// device is what every simulated controller tells of itself.
func device() packet.Device {
	return packet.Device{
		IP: [4]byte{127, 0, 0, 1}, Mask: [4]byte{255, 255, 255, 0}, Gateway: [4]byte{127, 0, 0, 1},
		MAC: [6]byte{0, 0x12, 0x23, 0x34, 0x45, 0x56}, Version: 0x0892, Released: 20181105,
	}
}

// answer does what a request asks for; false if there is no answer.
func (c *Controller) answer(b []byte) (packet.Packet, bool) {
	req, err := packet.Parse(b)
	if err != nil {
		return packet.Packet{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	everybody := req.Serial() == 0 && req.Op() == packet.OpDevice
	if c.fault.Silent || (req.Serial() != c.opt.Serial && !everybody) {
		return packet.Packet{}, false
	}
	c.requests++
	reply := packet.New(req.Op(), c.opt.Serial)
	switch req.Op() {
	case packet.OpPutCard, packet.OpDeleteCard, packet.OpDeleteCards:
		return c.write(req, reply), true
	case packet.OpCountCards, packet.OpGetCard, packet.OpCardAt:
		return c.read(req, reply), true
	case packet.OpGetEvent, packet.OpSetEventIndex, packet.OpGetEventIndex:
		return c.log(req, reply), true
	default:
		return c.self(req, reply)
	}
}

func (c *Controller) write(req, reply packet.Packet) packet.Packet {
	done := false
	switch req.Op() {
	case packet.OpPutCard:
		card, err := req.Card()
		done = err == nil && card.From != 0 && card.To != 0 && c.table.put(card) == nil
	case packet.OpDeleteCard:
		done = c.table.delete(req.Uint32())
	case packet.OpDeleteCards:
		if done = req.HasMagic(8); done {
			c.table.clear()
		}
	}
	if err := c.save(); err != nil {
		c.opt.Logger.Error("memory not saved", "error", err)
		done = false
	}
	return reply.WithBool(done)
}

func (c *Controller) read(req, reply packet.Packet) packet.Packet {
	switch req.Op() {
	case packet.OpCountCards:
		return reply.WithUint32(uint32(c.table.count()))
	case packet.OpGetCard:
		card, _ := c.table.find(req.Uint32())
		return reply.WithCard(card)
	default:
		slot := req.Uint32()
		if uint64(slot) > uint64(max(0, len(c.table.slots)-c.fault.Missing)) {
			return reply
		}
		return reply.WithCard(c.table.at(slot))
	}
}

func (c *Controller) log(req, reply packet.Packet) packet.Packet {
	switch req.Op() {
	case packet.OpGetEvent:
		return reply.WithEvent(c.events.get(req.Uint32()))
	case packet.OpSetEventIndex:
		return reply.WithBool(req.HasMagic(12) && c.events.setMark(req.Uint32()))
	default:
		return reply.WithUint32(c.events.mark)
	}
}

// self answers what concerns the controller itself.
func (c *Controller) self(req, reply packet.Packet) (packet.Packet, bool) {
	switch req.Op() {
	case packet.OpDevice:
		return reply.WithDevice(device()), true
	case packet.OpStatus:
		return c.status(reply, c.events.last()), true
	case packet.OpGetTime:
		return reply.WithTime(c.wall()), true
	case packet.OpSetTime:
		if t, err := req.Time(c.opt.Zone); err == nil && !t.IsZero() {
			c.offset = t.Sub(c.opt.Now())
		}
		return reply.WithTime(c.wall()), true
	case packet.OpGetListener:
		if !c.listener.IsValid() {
			return reply, true
		}
		return reply.WithListener(c.listener), true
	case packet.OpSetListener:
		c.listener = req.Listener()
		return reply.WithBool(true), true
	case packet.OpSpecialEvents:
		return reply.WithBool(true), true
	default:
		return packet.Packet{}, false
	}
}

// status adds the controller's state to a packet with an event.
func (c *Controller) status(p packet.Packet, e packet.Event) packet.Packet {
	p = p.WithEvent(e)
	now := c.wall()
	copy(p[37:], bcd(now.Hour(), now.Minute(), now.Second()))
	copy(p[51:], bcd(now.Year()%100, int(now.Month()), now.Day()))
	return p
}

func bcd(values ...int) []byte {
	out := make([]byte, len(values))
	for i, v := range values {
		out[i] = byte(v/10<<4 | v%10)
	}
	return out
}

// pause waits as long as a real controller would take.
func (c *Controller) pause(done <-chan struct{}) {
	if c.opt.Latency <= 0 {
		return
	}
	t := time.NewTimer(c.opt.Latency)
	defer t.Stop()
	select {
	case <-t.C:
	case <-done:
	}
}
