package reader

import (
	"testing"
	"testing/synctest"
	"time"

	"doorsync/protocol"
)

// A terminal that keeps no dates must let nobody in before or after them.
func TestValidityWithoutDatesAtTheReader(t *testing.T) {
	inSite(t, func(s *site) {
		from := time.Now().Add(2 * time.Hour)
		to := from.Add(24 * time.Hour)
		s.office(patch{id: "4", name: "Anna", validity: protocol.Validity{ActivatesAt: from, ExpiresAt: to}})
		f := newFake()
		s.with(f)
		for _, step := range []struct {
			name   string
			at     time.Time
			active bool
		}{
			{"before it begins", time.Now().Add(time.Second), false},
			{"once it has begun", from.Add(time.Second), true},
			{"until it ends", to.Add(-time.Second), true},
			{"once it has ended", to.Add(time.Second), false},
		} {
			<-time.After(time.Until(step.at))
			synctest.Wait()
			f.set(func() {
				if got := f.rows["4"].User.Active(); got != step.active {
					s.Errorf("%s: active = %v, want %v", step.name, got, step.active)
				}
			})
		}
	})
}

// When the machine's clock was set, the reader's is set at once, not only daily.
func TestClockChanged(t *testing.T) {
	inSite(t, func(s *site) {
		f := newFake()
		r := s.with(f)
		before := f.clocks
		r.ClockChanged()
		later(0)
		f.set(func() {
			if f.clocks != before+1 {
				s.Errorf("the reader's clock was set %d times", f.clocks-before)
			}
		})
	})
}
