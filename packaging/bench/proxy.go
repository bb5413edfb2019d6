package main

import (
	"fmt"
	"io"
	"net"
	"sync"
)

// wan is the line between a site and the center: a TCP relay that can be cut.
// While it is cut, connections are refused, as a router without a line does.
type wan struct {
	target string
	addr   string

	mu    sync.Mutex
	l     net.Listener
	conns []net.Conn
	done  sync.WaitGroup
}

func newWAN(target string) (*wan, error) {
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	w := &wan{target: target, addr: addr}
	return w, w.restore()
}

// restore lets connections through again.
func (w *wan) restore() error {
	l, err := net.Listen("tcp", w.addr)
	if err != nil {
		return fmt.Errorf("restore line: %w", err)
	}
	w.mu.Lock()
	w.l = l
	w.mu.Unlock()
	w.done.Add(1)
	go w.accept(l)
	return nil
}

func (w *wan) accept(l net.Listener) {
	defer w.done.Done()
	for {
		in, err := l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", w.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		w.done.Add(2)
		go w.relay(in, out)
		go w.relay(out, in)
	}
}

func (w *wan) relay(to, from net.Conn) {
	defer w.done.Done()
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

// cut ends every connection and waits until nothing passes any more.
func (w *wan) cut() {
	w.mu.Lock()
	_ = w.l.Close()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
	w.mu.Unlock()
	w.done.Wait()
}
