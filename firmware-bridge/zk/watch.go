package zk

import (
	"context"
	"fmt"
	"sync"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
)

// inboxLen is how many events wait for a watcher. What does not fit becomes one
// notice that something changed.
const inboxLen = 256

// inbox holds live events until they are watched. The goroutine that reads the
// connection never waits for it.
type inbox struct {
	mu       sync.Mutex
	events   []frame.Event
	overflow bool
	ready    chan struct{}
}

func newInbox() inbox { return inbox{ready: make(chan struct{}, 1)} }

func (b *inbox) add(e frame.Event) {
	b.mu.Lock()
	if len(b.events) < inboxLen {
		b.events = append(b.events, e)
	} else {
		b.overflow = true
	}
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *inbox) take() (events []frame.Event, overflow bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	events, overflow = b.events, b.overflow
	b.events, b.overflow = nil, false
	return events, overflow
}

// event sorts a live event: changes make what is remembered stale.
func (s *session) event(f frame.Frame) {
	e := frame.ParseEvent(f, time.Local)
	switch e.Bit {
	case frame.EventNewUser, frame.EventEnrolled:
		s.stale.Store(true)
	case frame.EventAttendance:
	default:
		return // a finger on the sensor, a key, a door: nothing of users
	}
	s.inbox.add(e)
}

// Watch tells of enrollments and of people who pass. Terminals do not tell of
// edits and deletions: the operation log and the table do. Events that came
// since the session was opened are told first.
func (s *session) Watch(ctx context.Context, notify func(driver.Notice)) error {
	for {
		events, overflow := s.inbox.take()
		for _, e := range events {
			notify(s.notice(ctx, e))
		}
		if overflow {
			notify(driver.Notice{Kind: driver.NoticeChanged, Detail: "more events came than were read"})
		}
		select {
		case <-s.inbox.ready:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.link.done:
			return fmt.Errorf("watch: %w", s.link.failure())
		}
	}
}

func (s *session) notice(ctx context.Context, e frame.Event) driver.Notice {
	switch e.Bit {
	case frame.EventNewUser:
		return driver.Notice{Kind: driver.NoticeChanged, Key: s.keyOf(ctx, e.UID), Detail: "user enrolled"}
	case frame.EventEnrolled:
		if e.Result != 0 {
			return driver.Notice{Kind: driver.NoticeChanged, Detail: fmt.Sprintf("enrollment ended with result %d", e.Result)}
		}
		return driver.Notice{Kind: driver.NoticeChanged, Key: e.UserID, Detail: fmt.Sprintf("finger %d enrolled", e.Finger)}
	default:
		return driver.Notice{Kind: driver.NoticeEntered, Key: e.UserID, At: e.At, Detail: "attendance"}
	}
}

// keyOf finds the user ID of a slot that somebody was just enrolled in, so that
// one row need be read and not the whole table with its templates. "" if it
// cannot be told.
func (s *session) keyOf(ctx context.Context, uid uint16) string {
	s.busy.Lock()
	defer s.busy.Unlock()
	if err := s.refresh(ctx); err != nil {
		return ""
	}
	return s.known.byUID[uid]
}
