package drivertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport/faulty"
)

// rounds is how often each bad line is tried, each time with another seed.
const rounds = 4

// plans are the bad lines that every driver meets.
func plans() []faulty.Plan {
	return []faulty.Plan{
		{Name: "slow", Delay: 5 * time.Millisecond},
		{Name: "in_pieces", Split: true},
		{Name: "lossy", Drop: 0.08},
		{Name: "repeating", Duplicate: 0.5},
		{Name: "out_of_order", Duplicate: 0.3, Delay: 10 * time.Millisecond},
		{Name: "noisy", Corrupt: 0.08},
		{Name: "cut_early", CutAfter: 90},
		{Name: "cut_late", CutAfter: 900},
		{Name: "all_at_once", Split: true, Drop: 0.03, Duplicate: 0.1, Corrupt: 0.03, Delay: 3 * time.Millisecond},
	}
}

// harmless reports whether a line does nothing that a driver may fail over:
// streams come slowly and in pieces everywhere, datagrams come twice.
func harmless(c Case, p faulty.Plan) bool {
	if p.Drop > 0 || p.Corrupt > 0 || p.CutAfter > 0 || (p.Split && c.OnePiece) {
		return false
	}
	return c.Network == "tcp" || (p.Delay == 0 && !p.Split)
}

// badLines examines that over a bad line a driver gives the right answer or an
// error, and that a good line afterwards finds nothing broken.
func badLines(t *testing.T, c Case) {
	for _, plan := range append(plans(), c.Plans...) {
		t.Run(plan.Name, func(t *testing.T) {
			for seed := range uint64(rounds) {
				plan.Seed = seed + 1
				t.Run(fmt.Sprintf("seed_%d", plan.Seed), func(t *testing.T) {
					t.Parallel() // most of the time is spent waiting
					badLine(t, c, plan)
				})
			}
		})
	}
}

func badLine(t *testing.T, c Case, plan faulty.Plan) {
	b := c.Start(t)
	good := func() driver.Session { return open(t, c.New(t, b.Address)) }
	s := good()
	before := project(t, s, c.Users...)
	put(t, s, before...)
	mustClose(t, s)

	p := line(t, c, b, plan)
	trusted := c.Checksum || plan.Corrupt == 0
	errRead := read(t, c, p.Address(), before, trusted)
	edited, acknowledged, errWrite := write(t, c, p.Address())
	if err := errors.Join(errRead, errWrite); err != nil && harmless(c, plan) {
		t.Fatalf("a harmless line: %v", err)
	}

	p.Set(faulty.Plan{})
	s = good()
	if trusted {
		after := list(t, s)
		plausible(t, after, before, edited)
		stands(t, after, acknowledged)
	}
	mend(t, s, before)
	same(t, "the reader after mending", b.held(t, s), before)
	mustClose(t, s)
	s = open(t, c.New(t, p.Address()))
	same(t, "the table once the line is good again", list(t, s), before)
	mustClose(t, s)
}

// read lists the table over a bad line: right or an error.
func read(t *testing.T, c Case, address string, want []driver.Row, trusted bool) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := c.New(t, address).Open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	rows, err := s.List(ctx)
	if err != nil {
		return err
	}
	if trusted {
		same(t, "the table over a bad line", rows, want)
	} else if len(rows) < len(want) {
		t.Fatalf("%d rows of %d and no error over a bad line", len(rows), len(want))
	}
	return nil
}

// write edits one user and deletes another over a bad line, and returns the
// rows of the edit and those that the driver says are written.
func write(t *testing.T, c Case, address string) (edited, acknowledged []driver.Row, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := c.New(t, address).Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = s.Close() }()
	edited = project(t, s, c.Edited)
	res, err := s.Put(ctx, edited)
	if err == nil {
		for i, e := range res {
			if e == nil {
				acknowledged = append(acknowledged, edited[i])
			}
		}
	}
	_, errDelete := s.Delete(ctx, keys(project(t, s, c.Users[1])))
	return edited, acknowledged, errors.Join(err, errDelete)
}

// plausible checks that each row is one that stood there or was written: a bad
// line makes no third.
func plausible(t *testing.T, after, before, edited []driver.Row) {
	t.Helper()
	old, _ := byKey(before)
	written, _ := byKey(edited)
	for _, r := range after {
		if o, ok := old[r.Key]; ok && o.Equal(r) {
			continue
		}
		if w, ok := written[r.Key]; ok && w.Equal(r) {
			continue
		}
		t.Fatalf("row %s is neither what was there nor what was written", r.Key)
	}
}

// stands checks that what was acknowledged is there.
func stands(t *testing.T, after, acknowledged []driver.Row) {
	t.Helper()
	have, _ := byKey(after)
	for _, w := range acknowledged {
		if r, ok := have[w.Key]; !ok || !r.Equal(w) {
			t.Fatalf("row %s was acknowledged and is not there", w.Key)
		}
	}
}

// mend makes the reader hold what it should, as the agent's loop does.
func mend(t *testing.T, s driver.Session, want []driver.Row) {
	t.Helper()
	have, _ := byKey(list(t, s))
	var missing []driver.Row
	for _, w := range want {
		if r, ok := have[w.Key]; !ok || !r.Equal(w) {
			missing = append(missing, w)
		}
		delete(have, w.Key)
	}
	var extra []string
	for k := range have {
		extra = append(extra, k)
	}
	remove(t, s, extra...)
	put(t, s, missing...)
	same(t, "the table after mending", list(t, s), want)
}

func mustClose(t *testing.T, s driver.Session) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}
