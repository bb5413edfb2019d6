package packet

import (
	"encoding/binary"
	"time"
)

// Types of event.
const (
	EventNone        = 0x00 // no such event
	EventSwipe       = 0x01
	EventDoor        = 0x02
	EventAlarm       = 0x03
	EventOverwritten = 0xFF // the ring has gone round
)

// Reasons of events that say more than yes or no.
const (
	ReasonSwipe       = 0x01
	ReasonNoPrivilege = 0x06
	ReasonWrongPIN    = 0x07
	ReasonAntipass    = 0x08
	ReasonFirstCard   = 0x0A
	ReasonClosed      = 0x0B
	ReasonProfile     = 0x0F
	ReasonUnknownCard = 0x12
	ReasonPowerOn     = 0x1C
	ReasonReset       = 0x1D
	ReasonInterlock   = 0x21
)

// Indices with a meaning of their own in a request for an event.
const (
	FirstEvent = 0
	LastEvent  = 0xFFFFFFFF
)

// Event is one entry of a controller's log.
type Event struct {
	Index     uint32
	Type      uint8
	Granted   bool
	Door      uint8
	Direction uint8 // 1 in, 2 out
	Card      uint32
	At        time.Time
	Reason    uint8
}

// Event reads an event, from an answer or a live event. Its time is wall time
// in a zone; one that makes no sense is left zero, an event is still one.
func (p Packet) Event(zone *time.Location) Event {
	at, err := moment(p[20:], zone)
	if err != nil {
		at = time.Time{}
	}
	return Event{
		Index: p.Uint32(), Type: p[12], Granted: p[13] == 1, Door: p[14], Direction: p[15],
		Card: binary.LittleEndian.Uint32(p[16:]), At: at, Reason: p[27],
	}
}

// WithEvent returns the packet with an event in its body.
func (p Packet) WithEvent(e Event) Packet {
	p = p.WithUint32(e.Index)
	p[12], p[14], p[15], p[27] = e.Type, e.Door, e.Direction, e.Reason
	p[13] = 0
	if e.Granted {
		p[13] = 1
	}
	binary.LittleEndian.PutUint32(p[16:], e.Card)
	putTime(p[20:], e.At)
	return p
}
