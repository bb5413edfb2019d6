package exchange

import (
	"context"
	"sync"
	"time"
)

// echoPause is how long a site waits for what it has said itself. Its readers
// have it already, so nothing waits for it there; in the meantime the disk and
// the line belong to the sites for which it is news, and more comes in one piece.
const echoPause = 25 * time.Millisecond

// echoes are the sites that have only themselves to hear.
type echoes struct {
	wake chan struct{}
	mu   sync.Mutex
	who  []*site
}

func (e *echoes) init() { e.wake = make(chan struct{}, 1) }

// hush reports whether the site's turn can wait, and sees to it that it comes.
func (x *Exchange) hush(s *site, t turn) bool {
	if t.answer || len(t.at.cursor) > 0 || !x.Roster.Own(s.name, t.at.after) {
		return false
	}
	s.mu.Lock()
	due, waits := s.echoDue, s.echoWaits
	s.echoWaits = !due
	s.mu.Unlock()
	if due {
		return false
	}
	if !waits {
		x.echoes.mu.Lock()
		x.echoes.who = append(x.echoes.who, s)
		x.echoes.mu.Unlock()
		poke(x.echoes.wake)
	}
	return true
}

// heardItself ends the site's turn, so that the next time it waits again.
func (s *site) heardItself() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.echoDue = false
}

// echo gives their turn to the sites that waited.
func (x *Exchange) echo(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.echoes.wake:
		}
		pause(ctx, echoPause)
		x.echoes.mu.Lock()
		who := x.echoes.who
		x.echoes.who = nil
		x.echoes.mu.Unlock()
		for _, s := range who {
			s.mu.Lock()
			s.echoDue, s.echoWaits = true, false
			s.mu.Unlock()
		}
		x.mouth.add(who...)
	}
}
