package rig_test

import (
	"bufio"
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"doorsync/packaging/rig"
)

// echo answers every line, at an address of its own.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				lines := bufio.NewReader(c)
				for {
					line, err := lines.ReadString('\n')
					if err != nil {
						return
					}
					if _, err := c.Write([]byte(line)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestLineCutIsSilentAndHealedGoesOn(t *testing.T) {
	line, err := rig.NewLine(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- line.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	conn, err := net.Dial("tcp", line.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	say := func(text string) {
		if _, err := conn.Write([]byte(text + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(within time.Duration) (string, error) {
		if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
			t.Fatal(err)
		}
		return answers.ReadString('\n')
	}
	say("one")
	if got, err := hear(5 * time.Second); got != "one\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	line.Cut()
	say("two")
	if got, err := hear(50 * time.Millisecond); err == nil {
		t.Fatalf("a cut line carried %q", got)
	} else if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
		t.Fatalf("a cut line told of it: %v", err)
	}
	line.Heal()
	if got, err := hear(5 * time.Second); got != "two\n" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestMosquittoFromTheSamples(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	m, err := rig.NewMosquitto(ctx, filepath.Join(t.TempDir(), "m"), filepath.Join("..", "..", "configs"), map[string]string{"central": "a", "LYON": "b"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := m.Kill(); err != nil {
			t.Fatal(err)
		}
	}
}
