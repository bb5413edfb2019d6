package uplink

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// clockDiffers is from when on people are told that the site's clock and the
// center's disagree. Nothing is decided by it.
const clockDiffers = 2 * time.Minute

// heardFrom notes that the center answered.
func (s *session) heardFrom(ctx context.Context, c wire.Confirm, first bool) {
	if first { // also of a center that was restarted within the session
		s.allTaken.Store(false)
		s.allHeld.Store(false)
		s.settled.Store(false)
	}
	s.inbox.centerAt(c.Roster, c.Revision, first)
	if !first {
		return
	}
	now := s.Now()
	ahead := time.UnixMilli(c.Now).Sub(now)
	was := s.set(func(st *Status) {
		st.CenterAhead, st.Behind, st.Error = ahead, true, ""
		if st.State != Online {
			st.State, st.Since = Online, now
		}
		st.told = false
	})
	if ahead.Abs() > clockDiffers {
		s.Logger.Warn("this clock and the center's differ; set this one by a time server", "center_ahead", ahead)
	}
	if was.told {
		s.append(ctx, protocol.EventWANBack, "")
	}
	if was.State != Online {
		s.Logger.Info("center answers", "taken", c.Taken, "roster_revision", c.Revision)
	}
	poke(s.inbox.wake) // the goal may be reached already
}

// settle notes that one half is caught up, and tells people, and the center,
// when both are.
func (s *session) settle(ctx context.Context, half *atomic.Bool) {
	if half.Swap(true) || !s.allTaken.Load() || !s.allHeld.Load() || s.settled.Swap(true) {
		return
	}
	st := s.Copy.State()
	s.set(func(now *Status) { now.Behind = false })
	s.append(ctx, protocol.EventCaughtUp, fmt.Sprintf("at revision %d of the roster", st.Revision))
	// The center compares digests with a hello that carries one.
	s.outbox.hello(false)
}
