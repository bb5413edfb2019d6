package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/cloud/api/client"
)

// kills is how often something is killed, in all.
const kills = 100

// TestKilledAtAnyMoment kills agents, center and broker (-9) at random moments
// while people are enrolled at two sites, and then looks for everybody.
func TestKilledAtAnyMoment(t *testing.T) {
	w := newWorld(t, "LYON", "OSLO")
	w.external()
	w.start()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	ctx, stop := context.WithCancel(w.ctx)
	var traffic errgroup.Group
	for i, site := range []string{"LYON", "OSLO"} {
		traffic.Go(func() error { return w.traffic(ctx, site, 1000*(i+1)) })
	}
	for range kills {
		w.killOne(random)
		// Long enough for some of the victims to get to work, short enough to
		// hit others while they start.
		pause(ctx, time.Duration(random.IntN(250))*time.Millisecond)
	}
	stop()
	w.must(traffic.Wait())
	// A rig in which nothing gets through proves nothing.
	if taken, err := w.atCenter(); err == nil {
		t.Logf("%d people were enrolled, %d of them known to the center when the killing ended", len(w.want), len(taken))
	}
	if len(w.want) < 200 {
		t.Errorf("only %d people were enrolled meanwhile", len(w.want))
	}

	w.agree(60 * time.Second)
	w.everythingOnce()
}

// traffic enrolls somebody new about 30 times a second.
func (w *world) traffic(ctx context.Context, site string, first int) error {
	for n := first; n < first+900; n++ {
		id, name := fmt.Sprint(n), fmt.Sprintf("Person %d", n)
		p := person(id, name)
		if err := w.terminals[site].Enroll(p); err != nil {
			return err
		}
		w.expect(id, name)
		pause(ctx, 33*time.Millisecond)
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// killOne kills something and starts it again at once.
func (w *world) killOne(random *rand.Rand) {
	w.t.Helper()
	switch random.IntN(4) {
	case 0:
		w.must(w.center.Kill())
		w.must(w.center.Run())
	case 1:
		w.must(w.broker.Kill())
		w.must(w.broker.Run())
	case 2:
		w.must(w.sites["LYON"].Kill())
		w.must(w.sites["LYON"].Run())
	case 3:
		w.must(w.sites["OSLO"].Kill())
		w.must(w.sites["OSLO"].Run())
	}
}

// everythingOnce looks through the center's event log: each person was enrolled
// once, and each site's journal came without a gap and without repetition.
func (w *world) everythingOnce() {
	w.t.Helper()
	enrolled := map[string]int{}
	last := map[string]uint64{}
	for after := ""; ; {
		page, err := w.center.Events(w.ctx, client.EventQuery{After: after, Limit: 500})
		w.must(err)
		for _, e := range page.Events {
			if e.Event == "enrolled" {
				enrolled[e.User]++
			}
			if e.Site == "" {
				continue
			}
			if e.Number != last[e.Site]+1 {
				w.t.Errorf("after entry %d of %s comes %d", last[e.Site], e.Site, e.Number)
			}
			last[e.Site] = e.Number
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for id := range w.want {
		if enrolled[id] != 1 {
			w.t.Errorf("user %s: enrolled %d times in the event log, want once", id, enrolled[id])
		}
	}
	for name, s := range w.sites {
		if _, err := s.Command(w.ctx, "journal", "verify"); err != nil {
			w.t.Errorf("journal of %s: %v", name, err)
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
