// Package frame holds the bytes of the ZKTeco standalone protocol (TCP and UDP
// port 4370): pure encoding and decoding, no connection and no clock. The
// driver speaks it as the client, the simulated terminal as the server.
//
// All integers are little-endian. No decoder panics, whatever it is given.
package frame

import (
	"encoding/binary"
	"errors"
)

var le = binary.LittleEndian

// Errors of decoding.
var (
	// ErrShort: fewer bytes than the structure needs.
	ErrShort = errors.New("too few bytes")
	// ErrChecksum: the frame was damaged on the way.
	ErrChecksum = errors.New("the checksum does not fit")
	// ErrMagic: the stream holds something else than frames.
	ErrMagic = errors.New("this is no frame of the terminal's protocol")
	// ErrLong: a frame announces more than any terminal sends.
	ErrLong = errors.New("the frame is too long")
	// ErrTable: a table contradicts itself.
	ErrTable = errors.New("the table contradicts itself")
)
