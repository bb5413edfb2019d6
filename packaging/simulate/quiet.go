package simulate

import (
	"os"
	"runtime"
	"time"
)

// How long nothing happens at the end of some runs, and what may be used up by
// nothing: a reader's state is told every minute, and stored.
const (
	quietTime    = 4 * time.Hour
	quietRuns    = 16 // one of so many runs
	quietEntries = 5
	quietBytes   = 64 << 10
	logBytes     = 64 << 20 // the store moves its log into the file long before
)

// checkQuiet lets nothing happen for hours and looks what grows all the same:
// journals, files, goroutines, connections.
func (w *World) checkQuiet(agents []*agent, c *center) {
	if w.sc.Seed%quietRuns != 0 {
		return
	}
	w.tell("---", "nothing happens for %v", quietTime)
	before := w.used(agents, c)
	<-time.After(quietTime)
	if !w.settle(10 * time.Minute) {
		return
	}
	after := w.used(agents, c)
	for _, what := range sortedKeys(before) {
		was, is := before[what], after[what]
		if is.n-was.n > is.more {
			w.fault("in %v without any event %s grew from %d to %d", quietTime, what, was.n, is.n)
		}
	}
}

// amount is how much of something there is, and how much more there may be
// after a quiet time.
type amount struct{ n, more int64 }

// used is what could grow without bound.
func (w *World) used(agents []*agent, c *center) map[string]amount {
	out := map[string]amount{
		"the number of goroutines":       {int64(runtime.NumGoroutine()), 4},
		"the roster's revision":          {int64(c.r.Revision()), 0},
		"the roster's file":              {sizeOf(c.path), quietBytes},
		"the log of the roster's file":   {max(sizeOf(c.path+"-wal"), logBytes), 0},
		"the number of messages dropped": {int64(len(c.x.Counts().Dropped)), 0},
	}
	w.b.mu.Lock()
	out["the number of connections"] = amount{int64(len(w.b.links)), 0}
	w.b.mu.Unlock()
	for _, a := range agents {
		out["the journal of "+a.who] = amount{int64(a.j.State().Last), quietEntries}
		out["the journal file of "+a.who] = amount{sizeOf(a.path), quietBytes}
		out["the number of messages that "+a.who+" dropped"] = amount{int64(a.up.Status().Dropped), 0}
	}
	return out
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // a log that is not there
	}
	return info.Size()
}
