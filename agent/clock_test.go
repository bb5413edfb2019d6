package agent

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestClockThatIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64
		c := newClock(func() time.Time { return time.Now().Round(0).Add(time.Duration(ahead.Load())) })
		for _, by := range []time.Duration{0, 5 * time.Hour, 0, -72 * time.Hour, time.Second} {
			ahead.Add(int64(by))
			<-time.After(10 * time.Second)
			if got := c.set(); got != by {
				t.Errorf("set by %v, want %v", got, by)
			}
		}
	})
}
