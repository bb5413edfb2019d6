package chain

import (
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// world runs a test with a center and the sites LYON and OSLO on virtual time.
func world(t *testing.T, seed uint64, run func(t *testing.T, l *line, c *center, lyon, oslo *site)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := newLine(seed)
		c := startCenter(t, file(dir, "roster.db"), l, "LYON", "OSLO")
		l.setCenter(c.x)
		lyon := startSite(t, "LYON", file(dir, "lyon.db"), l.connect("LYON"), nil)
		oslo := startSite(t, "OSLO", file(dir, "oslo.db"), l.connect("OSLO"), nil)
		run(t, l, c, lyon, oslo)
		oslo.close()
		lyon.close()
		c.close()
	})
}

func settled(c *center, sites ...*site) func() error {
	return func() error {
		var err error
		for _, s := range sites {
			err = errors.Join(err, s.settled(c))
		}
		return err
	}
}

func TestEditReachesOtherSite(t *testing.T) {
	world(t, 1, func(t *testing.T, _ *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		lyon.enroll(5)
		begun := time.Now()
		until(t, time.Second, func() error {
			if got := oslo.user("5"); got != "Person 5" {
				return fmt.Errorf("user 5 at OSLO: %q", got)
			}
			return nil
		})
		if took := time.Since(begun); took > 10*time.Millisecond {
			t.Errorf("took %v of virtual time: something waits for a timer", took)
		}
		until(t, 5*time.Second, settled(c, lyon, oslo))
	})
}

func TestLineWithFaults(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			world(t, seed, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
				l.mu.Lock()
				l.lost, l.doubled, l.late = 15, 15, 15
				l.mu.Unlock()
				for i := range 60 {
					lyon.enroll(1000 + i)
					oslo.enroll(2000+i, 3000+i)
					if i%7 == 0 {
						<-time.After(time.Second)
					}
				}
				until(t, 5*time.Minute, settled(c, lyon, oslo))
				everybody(t, c, lyon, oslo)
			})
		})
	}
}

func everybody(t *testing.T, c *center, sites ...*site) {
	t.Helper()
	for i := range 60 {
		for _, base := range []int{1000, 2000, 3000} {
			id := strconv.Itoa(base + i)
			if got := c.user(id); got != "Person "+id {
				t.Errorf("user %s at the center: %q", id, got)
			}
			for _, s := range sites {
				if got := s.user(id); got != "Person "+id {
					t.Errorf("user %s at %s: %q", id, s.name, got)
				}
			}
		}
	}
}
