package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Process is a program that runs; what it prints goes to a file.
type Process struct {
	Name string
	Log  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
}

// Start runs a program. A log that is there already is continued, so that a
// program that is killed and started again has one log.
func Start(name, log, program string, args ...string) (*Process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer f.Close()                       // the child has its own
	cmd := exec.Command(program, args...) //nolint:noctx // Stop and Kill end it, in their own ways
	cmd.Stdout, cmd.Stderr = f, f
	own(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, Log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the program has ended, however.
func (p *Process) Done() <-chan struct{} { return p.done }

// PID is the number of the process, for those who look at what it uses.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the program as a power cut would (kill -9) and waits.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	<-p.done
	return nil
}

// Stop asks the program to end and waits; one that does not end in time is
// killed, which is an error.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM) }

// Interrupt is Stop for programs that know Ctrl-C only.
func (p *Process) Interrupt() error { return p.end(os.Interrupt) }

func (p *Process) end(signal os.Signal) error {
	if p == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(fmt.Errorf("stop %s: %w", p.Name, err), p.Kill())
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(15 * time.Second):
		return errors.Join(fmt.Errorf("stop %s: it did not end within 15 s", p.Name), p.Kill())
	}
}

// Tail is the end of what the program printed.
func (p *Process) Tail(lines int) string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// From is what the program printed from the first mention of a text on, at most
// so many lines; "" if it did not mention it.
func (p *Process) From(text string, lines int) string {
	b, err := os.ReadFile(p.Log)
	if err != nil {
		return ""
	}
	_, after, found := strings.Cut(string(b), text)
	if !found {
		return ""
	}
	all := strings.Split(after, "\n")
	return text + strings.Join(all[:min(lines, len(all))], "\n")
}

// Until waits until a program is ready to be used, asking every few
// milliseconds; it gives up at once when the program has ended.
func (p *Process) Until(ctx context.Context, what string, ready func(context.Context) bool) error {
	err := Until(ctx, what, func(ctx context.Context) bool {
		select {
		case <-p.done:
			return true
		default:
			return ready(ctx)
		}
	})
	select {
	case <-p.done:
		return fmt.Errorf("%s ended (%w):\n%s", p.Name, cmpErr(p.err), p.Tail(20))
	default:
	}
	if err != nil {
		return fmt.Errorf("%w; %s printed:\n%s", err, p.Name, p.Tail(20))
	}
	return nil
}

func cmpErr(err error) error {
	if err == nil {
		return errors.New("without an error")
	}
	return err
}

// Until asks every few milliseconds, until it holds or ctx ends.
func Until(ctx context.Context, what string, holds func(context.Context) bool) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if holds(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("never came: %s", what)
		case <-tick.C:
		}
	}
}
