package sqlstore

import (
	"context"
	"errors"
	"sync"
)

// readers are the connections that read. The one used last is used next: its
// cache is warm, and what several connections map of the file counts several
// times as memory of the program.
type readers struct {
	free chan struct{} // as many as are idle
	mu   sync.Mutex
	idle []*conn
}

func newReaders(most int) *readers { return &readers{free: make(chan struct{}, most)} }

// take waits for an idle connection.
func (r *readers) take(ctx context.Context) (*conn, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-r.free:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.idle) - 1
	c := r.idle[last]
	r.idle = r.idle[:last]
	return c, nil
}

func (r *readers) put(c *conn) {
	r.mu.Lock()
	r.idle = append(r.idle, c)
	r.mu.Unlock()
	r.free <- struct{}{}
}

// close waits for those who read.
func (r *readers) close(count int) error {
	var errs []error
	for range count {
		c, err := r.take(context.Background())
		if err == nil {
			err = c.close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
