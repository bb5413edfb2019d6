package uhppote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"doorsync/firmware-bridge/transport"
	"doorsync/firmware-bridge/uhppote/packet"
)

// attempts is how often a request is sent before the controller counts as gone.
// Every request may be sent twice: it says what shall be, not what shall change.
const attempts = 3

// line is the way to one controller. Each attempt has a connection, and so a
// port, of its own: an answer does not say which card or index it is for, and
// one that comes late or twice must not be taken for the answer to the next
// request.
type line struct {
	settings
	dialer transport.Dialer
}

// reach resolves the controller's name, once for a session.
func reach(ctx context.Context, s settings) (*line, error) {
	l := &line{settings: s, dialer: transport.Dialer{Timeout: s.timeout, Trace: s.trace, Mask: mask}}
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", s.address, err)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return l, nil
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return nil, fmt.Errorf("find controller %s: %w", host, transport.Cause(ctx, err))
	}
	l.address = net.JoinHostPort(ips[0].Unmap().String(), port)
	return l, nil
}

func mask(_ string, b []byte) []byte { return packet.Masked(b) }

func (l *line) request(op packet.Op) packet.Packet { return packet.New(op, l.serial) }

// ask sends a request until it is answered sensibly. check refuses answers that
// make no sense, nil takes all.
func (l *line) ask(ctx context.Context, req packet.Packet, check func(packet.Packet) error) (packet.Packet, error) {
	var last error
	for range attempts {
		reply, err := l.once(ctx, req)
		if err == nil && check != nil {
			err = check(reply)
		}
		if err == nil {
			return reply, nil
		}
		if ctx.Err() != nil {
			return packet.Packet{}, context.Cause(ctx)
		}
		last = err
	}
	var timeout net.Error
	if errors.As(last, &timeout) && timeout.Timeout() {
		return packet.Packet{}, fmt.Errorf("controller %d at %s does not answer; check its address, its serial number and the cable: %w",
			l.serial, l.address, last)
	}
	return packet.Packet{}, fmt.Errorf("ask controller %d at %s: %w", l.serial, l.address, last)
}

// once is one attempt over a connection of its own.
func (l *line) once(ctx context.Context, req packet.Packet) (packet.Packet, error) {
	conn, err := l.dialer.Dial(ctx, l.network, l.address)
	if err != nil {
		return packet.Packet{}, err
	}
	defer func() { _ = conn.Close() }()
	release, err := transport.Limit(ctx, conn, l.timeout)
	if err != nil {
		return packet.Packet{}, err
	}
	defer release()
	if _, err := conn.Write(req[:]); err != nil {
		return packet.Packet{}, fmt.Errorf("send request: %w", err)
	}
	if l.network == "tcp" {
		return readStream(conn, req)
	}
	return readDatagram(conn, req)
}

func readStream(conn net.Conn, req packet.Packet) (packet.Packet, error) {
	var b [packet.Size]byte
	if _, err := io.ReadFull(conn, b[:]); err != nil {
		return packet.Packet{}, fmt.Errorf("read answer: %w", err)
	}
	reply, err := packet.Parse(b[:])
	if err != nil {
		return packet.Packet{}, err
	}
	if !reply.Answers(req) {
		return packet.Packet{}, fmt.Errorf("%w: no answer to this request", packet.ErrMalformed)
	}
	return reply, nil
}

// readDatagram waits for the answer and takes no notice of anything else.
func readDatagram(conn net.Conn, req packet.Packet) (packet.Packet, error) {
	b := make([]byte, 2*packet.Size)
	for {
		n, err := conn.Read(b)
		if err != nil {
			return packet.Packet{}, fmt.Errorf("read answer: %w", err)
		}
		if reply, err := packet.Parse(b[:n]); err == nil && reply.Answers(req) {
			return reply, nil
		}
	}
}

// yes asks for something and returns the controller's yes or no.
func (l *line) yes(ctx context.Context, req packet.Packet) (bool, error) {
	reply, err := l.ask(ctx, req, func(p packet.Packet) error { _, err := p.Bool(); return err })
	if err != nil {
		return false, err
	}
	return reply.Bool()
}

// number asks for a count or an index.
func (l *line) number(ctx context.Context, op packet.Op) (uint32, error) {
	reply, err := l.ask(ctx, l.request(op), nil)
	return reply.Uint32(), err
}
