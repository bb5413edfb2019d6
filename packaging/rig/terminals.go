package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Terminals are simulated ZKTeco terminals: one doorsync-readersim. People act
// at them through its control socket, as its command line does.
type Terminals struct {
	*Process
	program   string
	control   string
	addresses map[string]string
	http      *http.Client
}

// AtTerminal is a person as a terminal shows them. A PIN goes in, never out.
type AtTerminal struct {
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Card    uint32 `json:"card,omitempty"`
	PIN     string `json:"pin,omitempty"`
	HasPIN  bool   `json:"has_pin"`
	Fingers []int  `json:"fingers,omitempty"`
}

// StartTerminals starts terminals that keep their people in dir.
func StartTerminals(ctx context.Context, p Programs, dir string, names ...string) (*Terminals, error) {
	return StartReaders(ctx, p, dir, nil, names...)
}

// StartReaders starts terminals, and UHPPOTE controllers by their serial numbers,
// in one program.
func StartReaders(ctx context.Context, p Programs, dir string, controllers map[string]uint32, names ...string) (*Terminals, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start terminals: %w", err)
	}
	t := &Terminals{program: p.ReaderSim, control: filepath.Join(dir, "control.sock"), addresses: map[string]string{}}
	args := []string{"run", "--control", t.control, "--state-dir", dir}
	for _, name := range names {
		addr, err := FreeAddress()
		if err != nil {
			return nil, err
		}
		t.addresses[name] = addr
		args = append(args, "--terminal", "name="+name+",listen="+addr)
	}
	for name, serial := range controllers {
		addr, err := FreeAddress()
		if err != nil {
			return nil, err
		}
		t.addresses[name] = addr
		args = append(args, "--controller", fmt.Sprintf("name=%s,listen=%s,serial=%d", name, addr, serial))
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", t.control)
	}
	t.http = &http.Client{Transport: &http.Transport{DialContext: dial}, Timeout: time.Minute}
	var err error
	if t.Process, err = Start("doorsync-readersim", filepath.Join(dir, "log"), p.ReaderSim, args...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return t, t.Until(ctx, "the terminals answer", func(ctx context.Context) bool {
		_, err := t.List(ctx, names[0])
		return err == nil
	})
}

// Addr is where a terminal listens.
func (t *Terminals) Addr(name string) string { return t.addresses[name] }

// CommandLine is how a person acts at the terminals.
func (t *Terminals) CommandLine() string { return t.program + " --control " + t.control }

// List is everybody in a terminal.
func (t *Terminals) List(ctx context.Context, terminal string) ([]AtTerminal, error) {
	var out []AtTerminal
	return out, t.ask(ctx, http.MethodGet, "/readers/"+url.PathEscape(terminal), nil, &out)
}

// Enroll adds a person at a terminal's keys.
func (t *Terminals) Enroll(ctx context.Context, terminal string, p AtTerminal) error {
	return t.ask(ctx, http.MethodPost, "/readers/"+url.PathEscape(terminal)+"/users", p, nil)
}

// Edit changes what is given, by the names of the JSON.
func (t *Terminals) Edit(ctx context.Context, terminal, id string, change map[string]any) error {
	return t.ask(ctx, http.MethodPatch, "/readers/"+url.PathEscape(terminal)+"/users/"+url.PathEscape(id), change, nil)
}

// Delete removes a person at a terminal's keys.
func (t *Terminals) Delete(ctx context.Context, terminal, id string) error {
	return t.ask(ctx, http.MethodDelete, "/readers/"+url.PathEscape(terminal)+"/users/"+url.PathEscape(id), nil, nil)
}

// Fault gives a terminal a bad day, by the names of doorsync-readersim's command
// line, or ends it ("none").
func (t *Terminals) Fault(ctx context.Context, terminal, fault string) error {
	return t.ask(ctx, http.MethodPut, "/readers/"+url.PathEscape(terminal)+"/fault/"+url.PathEscape(fault), nil, nil)
}

func (t *Terminals) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("ask the terminals: %w", err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://readersim"+path, body)
	if err != nil {
		return fmt.Errorf("ask the terminals: %w", err)
	}
	resp, err := t.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the terminals: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // only for the message
		return fmt.Errorf("ask the terminals: %s: %s", resp.Status, b)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("ask the terminals: %w", err)
	}
	return nil
}
