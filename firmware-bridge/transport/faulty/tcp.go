package faulty

import (
	"net"
	"sync"
)

func (p *Proxy) acceptTCP() {
	for {
		c, err := p.tcp.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.relay(c) })
	}
}

// relay carries one connection until either side or the plan ends it.
func (p *Proxy) relay(client net.Conn) {
	var d net.Dialer
	reader, err := d.DialContext(p.ctx, "tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.keep(client, reader) {
		_ = client.Close()
		_ = reader.Close()
		return
	}
	there, back := p.line(), p.line()
	left := &budget{left: there.plan.CutAfter, set: there.plan.CutAfter > 0}
	var wg sync.WaitGroup
	wg.Go(func() { p.carry(reader, client, there, left) })
	wg.Go(func() { p.carry(client, reader, back, left) })
	wg.Wait()
	p.forget(client, reader)
}

// carry moves bytes one way. Its end closes the receiving side, which ends the
// other way when that side answers by closing.
func (p *Proxy) carry(to, from net.Conn, l *line, left *budget) {
	defer p.forget(to)
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		piece, cut := left.take(b[:n])
		if n > 0 && !p.deliver(to, piece, l) {
			return
		}
		if cut {
			p.forget(from)
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) deliver(to net.Conn, piece []byte, l *line) bool {
	if p.muted.Load() || l.chance(l.plan.Drop) {
		return true
	}
	l.damage(piece)
	for _, bit := range l.bits(piece) {
		if !p.wait(l.delay()) {
			return false
		}
		if _, err := to.Write(bit); err != nil {
			return false
		}
	}
	return true
}

// budget is how many bytes may still pass on a connection, both ways together.
type budget struct {
	mu   sync.Mutex
	left int
	set  bool
}

func (b *budget) take(p []byte) (passes []byte, cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.set {
		return p, false
	}
	n := min(len(p), b.left)
	b.left -= n
	return p[:n], b.left == 0
}
