package agent

import (
	"context"
	"fmt"
	"time"

	"doorsync/protocol"
)

// How often the clock is looked at, and from when on people are told that it was
// set.
const (
	clockEvery   = 10 * time.Second
	clockDiffers = 2 * time.Minute
)

// clock notices when the machine's clock is set: what it shows has moved
// otherwise than the time that has passed. Nothing is decided by it, but people
// want to know it, and readers' clocks are set by this one.
type clock struct {
	wall          func() time.Time
	shown, passed time.Time
}

func newClock(wall func() time.Time) *clock {
	return &clock{wall: wall, shown: wall(), passed: time.Now()}
}

// set is by how much the clock was set since the last call.
func (c *clock) set() time.Duration {
	shown, passed := c.wall(), time.Now()
	by := shown.Sub(c.shown) - passed.Sub(c.passed)
	c.shown, c.passed = shown, passed
	return by
}

// wallClock is what the machine's clock shows, without what Go measures beside.
func wallClock() time.Time { return time.Now().Round(0) }

// watchClock journals that the clock was set, and has the readers' clocks set,
// and whatever depends on dates looked at again.
func (a *agent) watchClock(ctx context.Context, wall func() time.Time) error {
	c := newClock(wall)
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		by := c.set()
		if by.Abs() < clockDiffers {
			continue
		}
		detail := fmt.Sprintf("set forward by %v", by.Round(time.Second))
		if by < 0 {
			detail = fmt.Sprintf("set back by %v", by.Abs().Round(time.Second))
		}
		a.log.Warn("this machine's clock was changed", "detail", detail)
		if err := a.tell(ctx, protocol.EventClockChanged, detail); err != nil && ctx.Err() == nil {
			a.log.Error("cannot journal that the clock was changed", "error", err)
		}
		for _, r := range a.readers.all {
			r.ClockChanged()
		}
	}
}
