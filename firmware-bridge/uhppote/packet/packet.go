// Package packet is the language of UHPPOTE controllers: packets of 64 bytes,
// one for each request and one for each answer. It is pure, no I/O.
package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Size is the length of every packet.
const Size = 64

// Op is what a packet asks for; the answer repeats it.
type Op byte

// The operations in use.
const (
	OpStatus        Op = 0x20 // also what a live event carries
	OpSetTime       Op = 0x30
	OpGetTime       Op = 0x32
	OpPutCard       Op = 0x50
	OpDeleteCard    Op = 0x52
	OpDeleteCards   Op = 0x54
	OpCountCards    Op = 0x58
	OpGetCard       Op = 0x5A
	OpCardAt        Op = 0x5C
	OpSpecialEvents Op = 0x8E
	OpSetListener   Op = 0x90
	OpGetListener   Op = 0x92
	OpDevice        Op = 0x94
	OpGetEvent      Op = 0xB0
	OpSetEventIndex Op = 0xB2
	OpGetEventIndex Op = 0xB4
)

// Magic stands in requests that could do harm by accident.
const Magic = 0x55AAAA55

const (
	start     = 0x17
	startV662 = 0x19 // live events of firmware 6.62
	body      = 8
)

// Packet is one request or answer.
type Packet [Size]byte

// ErrMalformed is wrapped by all errors about bytes that make no sense.
var ErrMalformed = errors.New("malformed packet")

// New returns an empty packet for an operation.
func New(op Op, serial uint32) Packet {
	var p Packet
	p[0], p[1] = start, byte(op)
	binary.LittleEndian.PutUint32(p[4:], serial)
	return p
}

// Parse takes received bytes as a packet.
func Parse(b []byte) (Packet, error) {
	if len(b) != Size {
		return Packet{}, fmt.Errorf("%w: %d bytes instead of %d", ErrMalformed, len(b), Size)
	}
	p := Packet(b)
	if p[0] != start && (p[0] != startV662 || p.Op() != OpStatus) {
		return Packet{}, fmt.Errorf("%w: starts with %#02x", ErrMalformed, p[0])
	}
	return p, nil
}

// Op tells what the packet asks for or answers.
func (p Packet) Op() Op { return Op(p[1]) }

// Serial is the controller's number, 0 in requests to all.
func (p Packet) Serial() uint32 { return binary.LittleEndian.Uint32(p[4:]) }

// Answers reports whether p is an answer to a request.
func (p Packet) Answers(request Packet) bool {
	return p.Op() == request.Op() && (p.Serial() == request.Serial() || request.Serial() == 0)
}

// Uint32 is the number at the head of the body: a count, an index, a card.
func (p Packet) Uint32() uint32 { return binary.LittleEndian.Uint32(p[body:]) }

// WithUint32 returns the packet with a number at the head of the body.
func (p Packet) WithUint32(v uint32) Packet {
	binary.LittleEndian.PutUint32(p[body:], v)
	return p
}

// WithMagic returns the packet with the magic number at the given byte.
func (p Packet) WithMagic(at int) Packet {
	binary.LittleEndian.PutUint32(p[at:], Magic)
	return p
}

// HasMagic reports whether the magic number stands at the given byte.
func (p Packet) HasMagic(at int) bool { return binary.LittleEndian.Uint32(p[at:]) == Magic }

// Bool is the yes or no of an answer.
func (p Packet) Bool() (bool, error) {
	if p[body] > 1 {
		return false, fmt.Errorf("%w: %#02x is neither yes nor no", ErrMalformed, p[body])
	}
	return p[body] == 1, nil
}

// WithBool returns the packet with a yes or no.
func (p Packet) WithBool(v bool) Packet {
	p[body] = 0
	if v {
		p[body] = 1
	}
	return p
}

// Masked returns a copy of sent or received bytes in which a PIN is blotted
// out, for traces. Bytes that are no packet are returned as they are.
func Masked(b []byte) []byte {
	out := append([]byte(nil), b...)
	if len(out) < pinAt+3 {
		return out
	}
	switch Op(out[1]) {
	case OpPutCard, OpGetCard, OpCardAt:
		for i := range 3 {
			out[pinAt+i] = 0xEE
		}
	}
	return out
}
