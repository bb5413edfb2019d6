package service

import (
	"context"
	"fmt"
	"os"

	kardianos "github.com/kardianos/service"
)

// program is what the Windows service manager starts and stops. kardianos
// knows no end of its own accord, so the end of run is noticed here.
type program struct {
	run    func(ctx context.Context) error
	cancel context.CancelFunc
	done   chan struct{}
	err    error // of run, valid once done is closed
}

// runManaged is Run under the Windows service manager.
func runManaged(c Config, run func(ctx context.Context) error) error {
	p := &program{run: run}
	s, err := kardianos.New(p, describe(c, nil))
	if err != nil {
		return fmt.Errorf("run as service %s: %w", c.Name, err)
	}
	if err := s.Run(); err != nil {
		return fmt.Errorf("run as service %s: %w", c.Name, err)
	}
	return nil
}

// Start begins the run and returns at once.
func (p *program) Start(kardianos.Service) error {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		p.err = p.run(ctx)
		close(p.done)
		// Nobody asked for the end: only a process that goes away without
		// having said "stopped" is started again by the manager.
		if ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, p.err)
			os.Exit(1)
		}
	}()
	return nil
}

// Stop ends the run and waits for it.
func (p *program) Stop(kardianos.Service) error {
	p.cancel()
	<-p.done
	return p.err
}
