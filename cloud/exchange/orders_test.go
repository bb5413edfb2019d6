package exchange

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/protocol/wire"
)

// asked lets somebody at the center ask LYON for a sync.
func (d faultyDesk) asked(ctx context.Context) <-chan error {
	came := make(chan error, 1)
	go func() { came <- d.x.SyncSite(ctx, "LYON", "front", "Ada") }()
	synctest.Wait()
	return came
}

func TestSyncIsAskedUntilItIsAnswered(t *testing.T) {
	atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
		d.greeted("LYON")
		d.greeted("OSLO")
		came := d.asked(t.Context())
		<-time.After(2*orderAgain + time.Millisecond)
		orders := d.orders("LYON")
		if len(orders) != 3 {
			t.Fatalf("asked %d times in two pauses", len(orders))
		}
		o := orders[0]
		if o.Do != wire.DoSync || o.Reader != "front" || o.By != "Ada" || o.Session != "s1" || o.ID == "" || orders[2].ID != o.ID {
			t.Errorf("asked %+v, then %+v", o, orders[2])
		}
		d.say("OSLO", wire.KindDone, wire.Done{Session: "s1", ID: o.ID, Error: "not yours"})
		d.say("LYON", wire.KindDone, wire.Done{Session: "s1", ID: "another"})
		synctest.Wait()
		select {
		case err := <-came:
			t.Fatalf("an answer of another was taken for this one: %v", err)
		default:
		}
		d.say("LYON", wire.KindDone, wire.Done{Session: "s1", ID: o.ID})
		d.say("LYON", wire.KindDone, wire.Done{Session: "s1", ID: o.ID, Error: "doubled"})
		if err := <-came; err != nil {
			t.Error(err)
		}
		if n := len(d.x.waits.all); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

func TestSyncThatComesToNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		want error
		says string
		run  func(t *testing.T, d faultyDesk) error
	}{
		{"unknown site", nil, "no such site", func(t *testing.T, d faultyDesk) error {
			return d.x.SyncSite(t.Context(), "NICE", "", "Ada")
		}},
		{"site that never came", ErrOffline, "LYON", func(t *testing.T, d faultyDesk) error {
			return <-d.asked(t.Context())
		}},
		{"refused by the agent", ErrRefused, "no reader front", func(t *testing.T, d faultyDesk) error {
			d.greeted("LYON")
			came := d.asked(t.Context())
			d.say("LYON", wire.KindDone, wire.Done{Session: "s1", ID: d.orders("LYON")[0].ID, Error: "no reader front"})
			return <-came
		}},
		{"site leaves meanwhile", ErrOffline, "LYON", func(t *testing.T, d faultyDesk) error {
			d.greeted("LYON")
			came := d.asked(t.Context())
			d.say("LYON", wire.KindPresence, wire.Presence{Session: "s1"})
			return <-came
		}},
		{"nobody answers", context.DeadlineExceeded, "no answer", func(t *testing.T, d faultyDesk) error {
			d.greeted("LYON")
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			return <-d.asked(ctx)
		}},
		{"no line to the broker", errDown, "LYON", func(t *testing.T, d faultyDesk) error {
			d.greeted("LYON")
			d.out.mu.Lock()
			d.out.down = true
			d.out.mu.Unlock()
			return <-d.asked(t.Context())
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			atFaultyDesk(t, func(t *testing.T, d faultyDesk) {
				err := c.run(t, d)
				if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v; must be %v and say %q", err, c.want, c.says)
				}
				if n := len(d.x.waits.all); n != 0 {
					t.Errorf("%d still wait", n)
				}
			})
		})
	}
}
