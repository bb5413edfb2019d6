package packet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// Device is what a controller tells of itself.
type Device struct {
	IP, Mask, Gateway [4]byte
	MAC               [6]byte
	Version           uint16 // BCD: 0x0892 is 8.92
	Released          Date
}

// Firmware writes version and date for people.
func (d Device) Firmware() string {
	return fmt.Sprintf("%x.%02x (%v)", d.Version>>8, d.Version&0xFF, d.Released)
}

// Device reads what a controller told of itself.
func (p Packet) Device() (Device, error) {
	d := Device{
		IP: [4]byte(p[8:12]), Mask: [4]byte(p[12:16]), Gateway: [4]byte(p[16:20]),
		MAC: [6]byte(p[20:26]), Version: binary.BigEndian.Uint16(p[26:]),
	}
	var err error
	d.Released, err = date(p[28:])
	return d, err
}

// WithDevice returns the packet with a controller's own description.
func (p Packet) WithDevice(d Device) Packet {
	copy(p[8:], d.IP[:])
	copy(p[12:], d.Mask[:])
	copy(p[16:], d.Gateway[:])
	copy(p[20:], d.MAC[:])
	binary.BigEndian.PutUint16(p[26:], d.Version)
	d.Released.put(p[28:])
	return p
}

// Listener reads where live events are sent to.
func (p Packet) Listener() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[8:12])), binary.LittleEndian.Uint16(p[12:]))
}

// WithListener returns the packet with the address that live events go to, an
// IPv4 one.
func (p Packet) WithListener(a netip.AddrPort) Packet {
	ip := a.Addr().Unmap().As4()
	copy(p[8:], ip[:])
	binary.LittleEndian.PutUint16(p[12:], a.Port())
	return p
}
