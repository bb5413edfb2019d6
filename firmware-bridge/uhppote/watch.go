package uhppote

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport"
	"doorsync/firmware-bridge/uhppote/packet"
)

// watching is a session with a controller that is to send its events to us.
type watching struct{ *session }

// Watch makes the controller send its events here and tells of those that
// concern users. The controller sends each once and to one listener only: what
// was missed is in the log. It goes on sending after Watch has ended.
func (w *watching) Watch(ctx context.Context, notify func(driver.Notice)) error {
	ctx, end, err := w.begin(ctx)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	defer end()
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp4", w.listen.String())
	if err != nil {
		return fmt.Errorf("watch: listen for events: %w; give each controller a listen port of its own", err)
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := w.direct(ctx, conn.LocalAddr()); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return w.hear(ctx, conn, notify)
}

// hear tells of events until ctx ends.
func (w *watching) hear(ctx context.Context, conn net.PacketConn, notify func(driver.Notice)) error {
	b := make([]byte, 2*packet.Size)
	for {
		n, _, err := conn.ReadFrom(b)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		p, err := packet.Parse(b[:n])
		if err != nil || p.Op() != packet.OpStatus || p.Serial() != w.serial {
			continue // anybody may send to an open port
		}
		w.show(b[:n])
		if n, ok := w.notice(p.Event(w.zone)); ok {
			notify(n)
		}
	}
}

func (w *watching) show(b []byte) {
	if w.trace != nil {
		w.trace(transport.Received, packet.Masked(b))
	}
}

// direct makes the controller send its events to a local address.
func (w *watching) direct(ctx context.Context, local net.Addr) error {
	here, err := w.here(ctx, local)
	if err != nil {
		return err
	}
	if before, err := w.line.ask(ctx, w.line.request(packet.OpGetListener), nil); err == nil {
		if a := before.Listener(); a != here && a.Port() != 0 {
			w.logger.Info("the controller sent its events elsewhere until now", "reader", w.name, "before", a, "now", here)
		}
	}
	ok, err := w.line.yes(ctx, w.line.request(packet.OpSetListener).WithListener(here))
	if err != nil {
		return fmt.Errorf("set listener: %w", err)
	}
	if !ok {
		return fmt.Errorf("set listener: %w to send events to %v", driver.ErrRefused, here)
	}
	return nil
}

// here is the address under which the controller reaches a local listener: the
// one that the way to it leaves from, unless the configuration names another.
func (w *watching) here(ctx context.Context, local net.Addr) (netip.AddrPort, error) {
	bound, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find own address: %w", err)
	}
	if !bound.Addr().IsUnspecified() {
		return bound, nil
	}
	var d net.Dialer
	probe, err := d.DialContext(ctx, "udp4", w.line.address) // sends nothing
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find own address: %w", err)
	}
	defer func() { _ = probe.Close() }()
	ours, err := netip.ParseAddrPort(probe.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find own address: %w", err)
	}
	return netip.AddrPortFrom(ours.Addr().Unmap(), bound.Port()), nil
}
