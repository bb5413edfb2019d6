package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

// TestTerminalsWhoseClocksJump: the clocks of terminals jump by hours and years,
// as when a battery is flat, between enrollments and edits and while the agent is
// away. Their logs are out of order then, and nobody is lost or doubled.
//
// The clocks of the programs themselves jump in packaging/chain: a program has
// no clock of its own to set, and a machine's clock is not a test's to touch.
func TestTerminalsWhoseClocksJump(t *testing.T) {
	w := newWorld(t, "LYON", "OSLO")
	w.start()
	lyon := w.sites["LYON"]
	jumps := []time.Duration{5 * time.Hour, -5 * time.Hour, 72 * time.Hour, -20 * 365 * 24 * time.Hour, 0, -time.Hour}
	for i, by := range jumps {
		w.ahead["LYON"].Store(int64(by))
		w.ahead["OSLO"].Store(int64(-by))
		w.enroll("LYON", fmt.Sprint(100+i), fmt.Sprint("Person of Lyon ", i))
		w.enroll("OSLO", fmt.Sprint(200+i), fmt.Sprint("Person of Oslo ", i))
		if i%3 == 2 {
			w.must(lyon.Kill())
			w.enroll("LYON", fmt.Sprint(300+i), fmt.Sprint("Enrolled meanwhile ", i))
			w.ahead["LYON"].Store(int64(-by))
			w.enroll("LYON", fmt.Sprint(400+i), fmt.Sprint("And earlier, it seems ", i))
			w.must(lyon.Start(w.ctx))
		}
		w.agree(20 * time.Second)
	}
	w.everythingOnce()
}
