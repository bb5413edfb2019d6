package frame

import (
	"fmt"
	"io"
)

// Sizes of the framing.
const (
	headerLen = 8 // command, checksum, session, reply number
	tcpLen    = 8 // mark and length before a frame on TCP
	// MaxFrame is the longest payload taken from a stream: a chunk and its
	// header, with room for firmware that sends more than it was asked for.
	MaxFrame = 1 << 20
	// MaxChunkTCP is the most a terminal gives for one chunk over TCP.
	MaxChunkTCP = 0xFFC0
	// MaxChunkUDP is the data of one datagram. Chunks over UDP are asked for in
	// this size, so that a datagram that comes twice or late never takes the
	// place of another: data packets carry no offset.
	MaxChunkUDP = 1024
)

// Frame is one command, reply or live event.
type Frame struct {
	Cmd     Cmd
	Session uint16 // session; the event's bit in a live event
	Reply   uint16 // number of the request; 0 in a live event
	Data    []byte
}

// Checksum sums a payload without its checksum field: 16-bit words, carries
// folded back in, one's complement.
func Checksum(payload []byte) uint16 {
	var sum uint32
	add := func(b []byte) {
		for ; len(b) >= 2; b = b[2:] {
			sum += uint32(le.Uint16(b))
			sum = sum&0xFFFF + sum>>16
		}
		if len(b) == 1 {
			sum += uint32(b[0])
			sum = sum&0xFFFF + sum>>16
		}
	}
	if len(payload) < 4 {
		add(payload)
		return ^uint16(sum)
	}
	add(payload[:2])
	add(payload[4:])
	return ^uint16(sum)
}

// Append appends the frame as a UDP datagram carries it.
func (f Frame) Append(b []byte) []byte {
	start := len(b)
	b = le.AppendUint16(b, uint16(f.Cmd))
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, f.Session)
	b = le.AppendUint16(b, f.Reply)
	b = append(b, f.Data...)
	le.PutUint16(b[start+2:], Checksum(b[start:]))
	return b
}

// AppendTCP appends the frame as a TCP stream carries it.
func (f Frame) AppendTCP(b []byte) []byte {
	b = append(b, 0x50, 0x50, 0x82, 0x7D)
	b = le.AppendUint32(b, uint32(headerLen+len(f.Data)))
	return f.Append(b)
}

// Parse reads a payload. With ErrChecksum the frame is returned all the same:
// some clients sum what they later change, so a server does not mind.
func Parse(b []byte) (Frame, error) {
	if len(b) < headerLen {
		return Frame{}, fmt.Errorf("frame of %d bytes: %w", len(b), ErrShort)
	}
	f := Frame{Cmd: Cmd(le.Uint16(b)), Session: le.Uint16(b[4:]), Reply: le.Uint16(b[6:]), Data: b[headerLen:]}
	if sum := le.Uint16(b[2:]); sum != Checksum(b) {
		return f, fmt.Errorf("frame %d: %w", uint16(f.Cmd), ErrChecksum)
	}
	return f, nil
}

// ReadTCP reads the next payload from a stream, however the segments fell.
func ReadTCP(r io.Reader) ([]byte, error) {
	var head [tcpLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[0] != 0x50 || head[1] != 0x50 || head[2] != 0x82 || head[3] != 0x7D {
		return nil, ErrMagic
	}
	n := le.Uint32(head[4:])
	if n > MaxFrame {
		return nil, fmt.Errorf("frame of %d bytes: %w", n, ErrLong)
	}
	if n < headerLen {
		return nil, fmt.Errorf("frame of %d bytes: %w", n, ErrShort)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("frame of %d bytes: %w", n, io.ErrUnexpectedEOF)
	}
	return b, nil
}
