package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"doorsync/packaging/rig"
)

// program is one that is killed and started again, and looked at meanwhile.
type program struct {
	name  string
	start func() (*rig.Process, error) // without waiting
	line  *timeline

	mu      sync.Mutex
	process *rig.Process
	life    int  // counts starts
	meant   bool // its end was meant
	full    int  // its disk is full, so it may end by itself
	again   time.Time
	samples []sample
	traced  trace
}

// up starts the program unless it runs: two troubles may have stopped it.
func (p *program) up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process != nil {
		select {
		case <-p.process.Done():
		default:
			return nil
		}
	}
	return p.begin()
}

// begin is up with mu held.
func (p *program) begin() error {
	process, err := p.start()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.process, p.meant, p.again = process, false, time.Time{}
	p.life++
	p.line.note("%s starts, process %d", p.name, process.PID())
	return nil
}

// down ends the program in some way; it stays down until up.
func (p *program) down(how string, end func(*rig.Process) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return errors.New(p.name + " was never started")
	}
	p.meant = true
	p.line.note("%s: %s", p.name, how)
	return end(p.process)
}

// restartIn is how long a service manager waits before it starts a program that
// ended by itself.
const restartIn = time.Second

// tend starts the program again if it has ended by itself, as the service
// manager of a real machine does. That is a failure unless its disk is full.
func (p *program) tend() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil || p.meant {
		return nil
	}
	select {
	case <-p.process.Done():
	default:
		return nil
	}
	switch {
	case p.again.IsZero():
		p.again = time.Now().Add(restartIn)
		if p.full == 0 {
			p.line.fail("%s ended by itself: %s", p.name, p.process.Tail(3))
		}
		p.line.count(aside, "ends by itself on a full disk")
		p.line.note("%s ended by itself: %s", p.name, p.process.Tail(1))
		return nil
	case time.Now().Before(p.again):
		return nil
	}
	return p.begin()
}

// filled says that the program's disk is full, or no longer.
func (p *program) filled(by int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.full += by
}

// now is the running process and its life.
func (p *program) now() (*rig.Process, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.process, p.life
}
