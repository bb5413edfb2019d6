package packet

import (
	"encoding/binary"
	"fmt"
)

// Numbers that stand in the place of a card.
const (
	NoCard      = 0          // not found, or no such index
	DeletedCard = 0xFFFFFFFF // a slot whose card was deleted
)

// MaxPIN is the largest PIN a controller holds.
const MaxPIN = 999999

const (
	fromAt  = 12
	toAt    = 16
	doorsAt = 20
	pinAt   = 24
)

// Card is one row of a controller's table.
type Card struct {
	Number   uint32
	From, To Date     // first and last day, 0: none
	Doors    [4]uint8 // 0 no, 1 always, 2 to 254 a time profile
	PIN      uint32   // 0: none
}

// Illegal reports whether the controller takes the number for something else
// than a card.
func Illegal(number uint32) bool {
	return number == NoCard || number == DeletedCard || number == 0x00FFFFFF
}

// String hides the PIN.
func (c Card) String() string {
	return fmt.Sprintf("card …%04d %v to %v doors %v", c.Number%10000, c.From, c.To, c.Doors)
}

// GoString keeps the PIN out of %#v.
func (c Card) GoString() string { return c.String() }

// WithCard returns the packet with a card in its body: a request to put it, or
// an answer that shows it.
func (p Packet) WithCard(c Card) Packet {
	p = p.WithUint32(c.Number)
	c.From.put(p[fromAt:])
	c.To.put(p[toAt:])
	copy(p[doorsAt:], c.Doors[:])
	p[pinAt], p[pinAt+1], p[pinAt+2] = byte(c.PIN), byte(c.PIN>>8), byte(c.PIN>>16)
	return p
}

// Card reads a card. Of what is no card (NoCard, DeletedCard) the number alone
// is read. A date that is none is an error beside an otherwise complete card.
func (p Packet) Card() (Card, error) {
	c := Card{Number: p.Uint32()}
	if c.Number == NoCard || c.Number == DeletedCard {
		return c, nil
	}
	copy(c.Doors[:], p[doorsAt:])
	c.PIN = binary.LittleEndian.Uint32(p[pinAt:]) & 0xFFFFFF
	if c.PIN > MaxPIN {
		c.PIN = 0 // what firmware without PINs leaves there
	}
	var errFrom, errTo error
	c.From, errFrom = date(p[fromAt:])
	c.To, errTo = date(p[toAt:])
	if errFrom != nil {
		return c, errFrom
	}
	return c, errTo
}
