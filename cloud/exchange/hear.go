package exchange

import (
	"context"
	"errors"
	"sync"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol/wire"
)

// How much one transaction takes in, and how much may wait for it. More entries
// cost less each, since they share pages (a sixth less by 1,600 than by 400), but
// take more memory, and hearing, telling and the sites no longer work at the same
// time.
const (
	hearAtOnce  = 4 << 20
	hearEntries = 1024
	hearWaiting = 64 << 20
	hearRetry   = 500 * time.Millisecond
)

// heard is one hello or journal message of a site.
type heard struct {
	site    *site
	hello   *wire.Hello
	journal *wire.Journal
	bytes   int
}

// ear queues what goes to the roster, in the order in which it came.
type ear struct {
	wake  chan struct{}
	mu    sync.Mutex
	queue []heard
	bytes int
}

func (e *ear) init() { e.wake = make(chan struct{}, 1) }

func (e *ear) put(h heard) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.bytes+h.bytes > hearWaiting {
		return false
	}
	e.queue = append(e.queue, h)
	e.bytes += h.bytes
	poke(e.wake)
	return true
}

// take returns what goes into one transaction: one hello, or the journals up to
// the next hello.
func (e *ear) take() []heard {
	e.mu.Lock()
	defer e.mu.Unlock()
	n, bytes, entries := 0, 0, 0
	for n < len(e.queue) && bytes < hearAtOnce && entries < hearEntries {
		if e.queue[n].hello != nil {
			if n == 0 {
				n = 1
			}
			break
		}
		bytes += e.queue[n].bytes
		entries += len(e.queue[n].journal.Entries)
		n++
	}
	out := e.queue[:n:n]
	e.queue = e.queue[n:]
	for _, h := range out {
		e.bytes -= h.bytes
	}
	if len(e.queue) == 0 {
		e.queue = nil
	}
	return out
}

func (x *Exchange) heardHello(s *site, h wire.Hello) {
	switch s.greet(h, x.Now()) {
	case greetOld:
		x.drop(s.name, DropSession, true, nil)
		return
	case greetOften:
		x.Logger.Warn("site connects again and again: is its line unsteady, or do two agents run under its name?", "site", s.name)
	}
	x.notes.seen(s.name, true)
	if !x.ear.put(heard{site: s, hello: &h, bytes: 1 << 10}) {
		x.drop(s.name, DropOverflow, true, errFull)
	}
}

func (x *Exchange) heardJournal(s *site, j wire.Journal, bytes int) {
	if !x.current(s, j.Session) || len(j.Entries) == 0 {
		return
	}
	s.spoke(j.Entries[len(j.Entries)-1].Number)
	if !x.ear.put(heard{site: s, journal: &j, bytes: bytes}) {
		x.drop(s.name, DropOverflow, true, errFull)
	}
}

// hear brings what sites said into the roster: everything that waits, of all
// sites, in one transaction.
func (x *Exchange) hear(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-x.ear.wake:
		}
		for batch := x.ear.take(); len(batch) > 0; batch = x.ear.take() {
			err := x.takeIn(ctx, batch)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				x.Logger.Error("nothing was acknowledged to the sites; they will send again", "error", err)
				pause(ctx, hearRetry)
			}
		}
	}
}

func (x *Exchange) takeIn(ctx context.Context, batch []heard) error {
	if h := batch[0]; h.hello != nil {
		return x.answerHello(ctx, h.site, *h.hello)
	}
	sites, batches := gather(batch)
	if len(batches) == 0 {
		return nil
	}
	confirms, err := x.Roster.Hear(ctx, batches)
	if err != nil {
		return err
	}
	for i, c := range confirms {
		if c.Epoch == "" && c.Roster == "" {
			continue // a site that was removed meanwhile
		}
		x.mouth.add(sites[i])
		x.confirm(sites[i], batches[i].Session, c)
	}
	return nil
}

// gather makes one batch of each site's messages that follow one another. A
// session whose hello was not answered yet is not heard.
func gather(all []heard) (sites []*site, batches []roster.SiteBatch) {
	at := map[*site]int{}
	for _, h := range all {
		h.site.mu.Lock()
		ok := h.site.greeted && h.site.session == h.journal.Session
		h.site.mu.Unlock()
		if !ok {
			continue
		}
		if i, known := at[h.site]; known && follows(batches[i], h.journal) {
			batches[i].Entries = append(batches[i].Entries, h.journal.Entries...)
			continue
		}
		at[h.site] = len(batches)
		sites = append(sites, h.site)
		batches = append(batches, roster.SiteBatch{
			Site: h.site.name, Session: h.journal.Session, Epoch: h.journal.Epoch, Entries: h.journal.Entries,
		})
	}
	return sites, batches
}

func follows(b roster.SiteBatch, j *wire.Journal) bool {
	return b.Session == j.Session && b.Epoch == j.Epoch &&
		b.Entries[len(b.Entries)-1].Number+1 == j.Entries[0].Number
}

func (x *Exchange) answerHello(ctx context.Context, s *site, h wire.Hello) error {
	c, err := x.Roster.Hello(ctx, s.name, h)
	if errors.Is(err, roster.ErrUnknownSite) {
		return nil
	}
	if err != nil {
		return err
	}
	if !c.NewEpoch && !s.answered(h.Session) {
		return nil // another session began meanwhile
	}
	x.confirm(s, h.Session, c)
	x.mouth.add(s)
	if len(h.Digest) > 0 && !c.NewEpoch {
		x.compare(ctx, s, h)
	}
	return nil
}

func (x *Exchange) confirm(s *site, session string, c wire.Confirm) {
	c.Session, c.Now = session, x.Now().UnixMilli()
	if _, err := x.send(s.name, wire.KindConfirm, c); err != nil {
		x.Logger.Debug("confirm", "site", s.name, "error", err)
	}
}
