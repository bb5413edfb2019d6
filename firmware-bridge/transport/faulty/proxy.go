package faulty

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy stands between a driver and a reader. Make one with Listen.
type Proxy struct {
	network, target string
	tcp             net.Listener
	udp             *net.UDPConn
	ctx             context.Context // ends with Close
	cancel          context.CancelFunc
	wg              sync.WaitGroup
	muted           atomic.Bool

	mu    sync.Mutex
	plan  Plan
	count uint64                  // directions so far, for their seeds
	conns map[net.Conn]struct{}   // open TCP connections, both sides
	peers map[string]*net.UDPConn // by the client's address
	order []string                // of the peers, oldest first
	bytes int                     // datagram bytes that passed since the plan was set
}

// Listen opens a proxy to target on a free port of the loopback and serves it
// until Close.
func Listen(network, target string, plan Plan) (*Proxy, error) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &Proxy{
		network: network, target: target, plan: plan, ctx: ctx, cancel: cancel,
		conns: map[net.Conn]struct{}{}, peers: map[string]*net.UDPConn{},
	}
	var err error
	switch network {
	case "tcp":
		if p.tcp, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			p.wg.Go(p.acceptTCP)
		}
	case "udp":
		if p.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err == nil {
			p.wg.Go(p.serveUDP)
		}
	default:
		err = fmt.Errorf("unknown network %q", network)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open faulty line: %w", err)
	}
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string {
	if p.tcp != nil {
		return p.tcp.Addr().String()
	}
	return p.udp.LocalAddr().String()
}

// Set changes the plan for what passes from now on. Connections opened under
// the plan before are cut.
func (p *Proxy) Set(plan Plan) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.bytes = plan, 0
	p.dropAll()
}

// Mute makes the line silent: connections stay open, nothing arrives. Muted or
// not is no part of the plan.
func (p *Proxy) Mute(on bool) { p.muted.Store(on) }

// Close ends the proxy and all connections and waits until all is over.
func (p *Proxy) Close() error {
	p.cancel()
	var err error
	if p.tcp != nil {
		err = p.tcp.Close()
	} else {
		err = p.udp.Close()
	}
	p.mu.Lock()
	p.dropAll()
	p.mu.Unlock()
	p.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// dropAll closes what is open; p.mu is held.
func (p *Proxy) dropAll() {
	for c := range p.conns {
		_ = c.Close()
	}
	for _, c := range p.peers {
		_ = c.Close()
	}
	clear(p.conns)
	clear(p.peers)
	p.order = nil
}

// line starts the state of another direction.
func (p *Proxy) line() *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	return p.plan.line(p.count)
}

// keep remembers a connection for dropAll; false if the proxy is closing.
func (p *Proxy) keep(cs ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	for _, c := range cs {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *Proxy) forget(cs ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range cs {
		delete(p.conns, c)
		_ = c.Close()
	}
}

// wait pauses, false if the proxy ends meanwhile.
func (p *Proxy) wait(d time.Duration) bool {
	if d <= 0 {
		return p.ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}
