package rig

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// Once starts the agent expecting it to end by itself, and returns what it
// printed. One that is still running after ten seconds has not ended: no error.
func (s *Site) Once(ctx context.Context) (string, error) {
	if err := s.write(); err != nil {
		return "", err
	}
	return once(ctx, s.program, "run", "--config", s.Config())
}

// Once is the same for the center.
func (c *Center) Once(ctx context.Context) (string, error) {
	if err := c.write(); err != nil {
		return "", err
	}
	return once(ctx, c.program, "run", "--config", c.Config())
}

func once(ctx context.Context, program string, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(limited, program, args...).CombinedOutput()
	if limited.Err() != nil {
		return string(out), nil
	}
	if err != nil {
		return string(out), fmt.Errorf("%s: %w", program, err)
	}
	return string(out), nil
}
