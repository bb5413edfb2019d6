package faulty_test

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"doorsync/firmware-bridge/transport/faulty"
)

// far is a reader that sends everything back.
func far(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		l, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			b := make([]byte, 2048)
			for {
				n, from, err := l.ReadFrom(b)
				if err != nil {
					return
				}
				_, _ = l.WriteTo(b[:n], from)
			}
		}()
		return l.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func through(t *testing.T, network string, plan faulty.Plan) (*faulty.Proxy, net.Conn) {
	t.Helper()
	p, err := faulty.Listen(network, far(t, network), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, dial(t, network, p)
}

func dial(t *testing.T, network string, p *faulty.Proxy) net.Conn {
	t.Helper()
	c, err := net.Dial(network, p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// passes sends messages and returns how many come back whole, and all bytes.
func passes(t *testing.T, c net.Conn, n int) (whole int, all []byte) {
	t.Helper()
	b := make([]byte, 2048)
	for range n {
		if _, err := c.Write(message); err != nil {
			return whole, all
		}
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		for {
			got, err := c.Read(b)
			if err != nil {
				break
			}
			all = append(all, b[:got]...)
			if bytes.Equal(b[:got], message) {
				whole++
			}
		}
	}
	return whole, all
}

var message = []byte("sixteen bytes ok")

func TestDatagrams(t *testing.T) {
	for _, plan := range []struct {
		faulty.Plan
		atLeast, atMost int
	}{
		{faulty.Plan{Name: "good"}, 20, 20},
		{faulty.Plan{Name: "drop", Seed: 1, Drop: 0.5}, 1, 15},
		{faulty.Plan{Name: "twice", Seed: 1, Duplicate: 1}, 60, 80},
		{faulty.Plan{Name: "corrupt", Seed: 1, Corrupt: 1}, 0, 1},
		{faulty.Plan{Name: "cut", CutAfter: 5 * 32}, 4, 5},
	} {
		t.Run(plan.Name, func(t *testing.T) {
			_, c := through(t, "udp", plan.Plan)
			if whole, _ := passes(t, c, 20); whole < plan.atLeast || whole > plan.atMost {
				t.Errorf("%d of 20 came back; want %d to %d", whole, plan.atLeast, plan.atMost)
			}
		})
	}
}

func TestStreamInPieces(t *testing.T) {
	_, c := through(t, "tcp", faulty.Plan{Seed: 1, Split: true, Delay: time.Millisecond})
	if _, err := c.Write(message); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(message))
	if n, err := c.Read(got); err != nil || n == len(message) {
		t.Errorf("the first read has %d bytes of %d, %v; want fewer", n, len(message), err)
	} else if _, err := io.ReadFull(c, got[n:]); err != nil || !bytes.Equal(got, message) {
		t.Errorf("in all: %q, %v", got, err)
	}
}

func TestStreamCut(t *testing.T) {
	p, c := through(t, "tcp", faulty.Plan{CutAfter: len(message) + 5})
	if _, err := c.Write(message); err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(c)
	if len(got) > 5 {
		t.Errorf("%d bytes passed after the cut", len(got)-5)
	}
	p.Set(faulty.Plan{})
	if whole, _ := passes(t, dial(t, "tcp", p), 1); whole != 1 {
		t.Error("a new connection over a good line does not pass")
	}
}

func TestMute(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		p, c := through(t, network, faulty.Plan{})
		p.Mute(true)
		if _, all := passes(t, c, 2); len(all) != 0 {
			t.Errorf("%s: %d bytes passed a silent line", network, len(all))
		}
		p.Mute(false)
		if whole, _ := passes(t, c, 1); whole != 1 {
			t.Errorf("%s: the same connection does not pass once the line speaks again", network)
		}
	}
}
