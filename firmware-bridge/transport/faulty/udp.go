package faulty

import (
	"bytes"
	"net"
)

const (
	maxDatagram = 64 << 10
	maxPeers    = 256
)

// serveUDP carries datagrams from all clients to the reader, from a socket for
// each client, so that answers find their way back.
func (p *Proxy) serveUDP() {
	b := make([]byte, maxDatagram)
	lines := map[*net.UDPConn]*line{}
	for {
		n, from, err := p.udp.ReadFromUDP(b)
		if err != nil {
			if p.ctx.Err() != nil {
				return
			}
			continue // Windows tells of an unreachable client here
		}
		peer, fresh := p.peer(from)
		if peer == nil {
			continue
		}
		if fresh {
			clear(lines) // keeps the map small; peers are short-lived
			lines[peer] = p.line()
		}
		l := lines[peer]
		if l == nil {
			l = p.line()
			lines[peer] = l
		}
		p.pass(bytes.Clone(b[:n]), l, func(d []byte) { _, _ = peer.Write(d) })
	}
}

// peer returns the socket toward the reader for a client.
func (p *Proxy) peer(client *net.UDPAddr) (conn *net.UDPConn, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.peers[client.String()]; c != nil {
		return c, false
	}
	target, err := net.ResolveUDPAddr("udp", p.target)
	if err != nil || p.ctx.Err() != nil {
		return nil, false
	}
	c, err := net.DialUDP("udp", nil, target)
	if err != nil {
		return nil, false
	}
	p.peers[client.String()] = c
	p.retire(client.String())
	p.wg.Go(func() { p.answers(c, client) })
	return c, true
}

// retire closes the socket of the client that has been here longest, which is
// gone since a driver may well use a port of its own for each request. p.mu is
// held.
func (p *Proxy) retire(newest string) {
	p.order = append(p.order, newest)
	if len(p.order) <= maxPeers {
		return
	}
	if c := p.peers[p.order[0]]; c != nil {
		_ = c.Close()
		delete(p.peers, p.order[0])
	}
	p.order = p.order[1:]
}

// answers carries datagrams back to one client.
func (p *Proxy) answers(c *net.UDPConn, client *net.UDPAddr) {
	l := p.line()
	b := make([]byte, maxDatagram)
	for {
		n, err := c.Read(b)
		if err != nil {
			p.mu.Lock()
			if p.peers[client.String()] == c {
				delete(p.peers, client.String())
			}
			p.mu.Unlock()
			_ = c.Close()
			return
		}
		p.pass(bytes.Clone(b[:n]), l, func(d []byte) { _, _ = p.udp.WriteToUDP(d, client) })
	}
}

// pass does to a datagram what the plan says, and sends what is left of it.
func (p *Proxy) pass(d []byte, l *line, send func([]byte)) {
	if p.muted.Load() || p.spent(len(d), l.plan.CutAfter) || l.chance(l.plan.Drop) {
		return
	}
	l.damage(d)
	copies := 1
	if l.chance(l.plan.Duplicate) {
		copies = 2
	}
	for range copies {
		p.send(d, l, send)
	}
}

func (p *Proxy) send(d []byte, l *line, send func([]byte)) {
	bits := [][]byte{d}
	if l.plan.Split && len(d) > 1 && l.chance(0.1) {
		at := 1 + l.rng.IntN(len(d)-1)
		bits = [][]byte{d[:at], d[at:]}
	}
	for _, bit := range bits {
		wait := l.delay()
		if wait == 0 {
			send(bit)
			continue
		}
		p.wg.Go(func() {
			if p.wait(wait) {
				send(bit)
			}
		})
	}
}

// spent counts bytes against CutAfter, which on UDP concerns the whole line.
func (p *Proxy) spent(n, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes += n
	return limit > 0 && p.bytes > limit
}
