package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// line is an open connection to the reader. It belongs to one goroutine.
type line struct {
	*Reader
	s     driver.Session
	proj  driver.Projector
	get   driver.Getter // nil: only the whole table can be read
	info  driver.Info
	sub   *journal.Subscription
	ended chan error // how Watch ended, when it did

	cursor  cursor
	owners  map[string]map[string]bool // user ID -> keys of rows that are not named after it
	tries   map[string]*try
	unread  map[string]bool // rows written and not read back yet
	deleted int             // rows deleted since the whole table was compared
	total   int             // rows in the table then
	waiting bool            // unknown rows were left alone until the center's users are known
	spoken  bool            // deletes held were journaled
	mode0   string          // the mode when the table was compared
	note    string          // what keeps the reader from being put in line

	pollAt, resyncAt, clockAt, tableAt time.Time
	turnsAt                            time.Time // when a validity that the reader does not keep begins or ends
	journalWait                        time.Duration
}

// try counts the writes of one content.
type try struct {
	sum  []byte
	user string
	n    int
	at   time.Time // when to try again, zero if nothing failed
}

const clockEvery = 24 * time.Hour

func newLine(r *Reader, s driver.Session, sub *journal.Subscription) (*line, error) {
	proj, ok := s.(driver.Projector)
	if !ok {
		return nil, fmt.Errorf("driver %s: its session does not say what the reader can hold", r.o.Driver)
	}
	l := &line{
		Reader: r, s: s, proj: proj, sub: sub, info: s.Info(), ended: make(chan error, 1),
		owners: map[string]map[string]bool{}, tries: map[string]*try{}, unread: map[string]bool{},
	}
	l.get, _ = s.(driver.Getter)
	return l, nil
}

// watch has the reader tell of changes; what it returns is closed when it does
// so no more.
func (l *line) watch(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	w, ok := l.s.(driver.Watcher)
	if !ok {
		close(done)
		return done
	}
	go func() {
		defer close(done)
		if err := w.Watch(ctx, l.inbox.add); err != nil && ctx.Err() == nil {
			l.ended <- err
		}
	}()
	return done
}

// run greets the reader, compares its whole table, and then does whatever comes
// up at once.
func (l *line) run(ctx context.Context) error {
	if err := l.greet(ctx); err != nil {
		return err
	}
	cause := causeConnect
	for ctx.Err() == nil {
		err := l.table(ctx, cause)
		if err == nil {
			cause, err = l.wait(ctx)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, errJournal) {
			return err
		}
		if err := l.holdOff(ctx, err); err != nil {
			return err
		}
		cause = causeConnect
	}
	return context.Cause(ctx)
}

// greet makes sure that this is the reader that is remembered.
func (l *line) greet(ctx context.Context) error {
	if err := l.recallCursor(); err != nil {
		return err
	}
	if l.cursor.Serial != "" && l.cursor.Serial != l.info.Serial {
		if err := l.swapped(ctx); err != nil {
			return err
		}
	}
	l.setClock(ctx)
	return nil
}

// swapped forgets what another device held at this address: what the new one
// lacks was not deleted there.
func (l *line) swapped(ctx context.Context) error {
	detail := fmt.Sprintf("reader %s answers where reader %s was", l.info.Serial, l.cursor.Serial)
	l.log.Warn("reader was exchanged", "before", l.cursor.Serial, "now", l.info.Serial)
	l.cursor = cursor{Serial: l.info.Serial}
	b, err := l.encodeCursor()
	if err != nil {
		return err
	}
	_, err = l.o.Journal.Append(ctx, journal.Batch{
		Reader: l.o.Name, ReaderID: l.info.Serial, ForgetRows: true, Cursor: b,
		Drafts: []journal.Draft{{Event: protocol.EventReaderSwapped, Detail: detail}},
	})
	return journalError(err)
}

// setClock sets the reader's clock. One that cannot be set is no reason not to
// work with the reader.
func (l *line) setClock(ctx context.Context) {
	l.clockAt = time.Now().Add(clockEvery)
	c, ok := l.s.(driver.Clock)
	if !ok {
		return
	}
	if err := c.SetTime(ctx, time.Now()); err != nil && ctx.Err() == nil {
		l.log.Warn("cannot set the reader's clock", "error", err)
	}
}

// wait does what comes up until the whole table must be compared, and says why.
func (l *line) wait(ctx context.Context) (cause, error) {
	for {
		timer := time.NewTimer(time.Until(l.nextAt()))
		var c cause
		var err error
		select {
		case <-ctx.Done():
			timer.Stop()
			return "", context.Cause(ctx)
		case err = <-l.ended:
		case <-l.sub.C():
			c, err = l.users(ctx)
		case <-l.inbox.wake:
			c, err = l.signs(ctx)
		case <-l.orders:
			if l.clock.Swap(false) {
				l.setClock(ctx)
				c = causeUsers
			}
			if l.ordered() {
				c = causeOrder
			}
		case <-timer.C:
			c, err = l.due(ctx)
		}
		timer.Stop()
		if c != "" || err != nil {
			return c, err
		}
	}
}

// nextAt is when something falls due.
func (l *line) nextAt() time.Time {
	next := l.pollAt
	for _, t := range []time.Time{l.resyncAt, l.clockAt, l.tableAt, l.turnsAt, l.retryAt()} {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	return next
}

// due does what time has come for.
func (l *line) due(ctx context.Context) (cause, error) {
	now := time.Now()
	if !now.Before(l.clockAt) {
		l.setClock(ctx)
	}
	switch {
	case !now.Before(l.resyncAt):
		return causeInterval, nil
	case !l.tableAt.IsZero() && !now.Before(l.tableAt):
		return causeSign, nil
	case !l.turnsAt.IsZero() && !now.Before(l.turnsAt):
		return causeUsers, nil
	}
	if items := l.retries(now); len(items) > 0 {
		if err := l.some(ctx, items); err != nil {
			return "", err
		}
	}
	if now.Before(l.pollAt) {
		return "", nil
	}
	l.pollAt = now.Add(l.o.Poll)
	_, logs := l.s.(driver.Logger)
	if p, ok := l.s.(driver.Pinger); ok && !logs {
		if err := p.Ping(ctx); err != nil {
			return "", err
		}
	}
	return l.readLog(ctx, false)
}

// holdOff waits after the site's own disk failed; the reader is all right.
func (l *line) holdOff(ctx context.Context, err error) error {
	l.journalWait = min(max(2*l.journalWait, firstWait), longestWait)
	l.log.Error("cannot keep the reader in line", "error", err)
	l.change(func(s *wire.ReaderState) { s.State, s.Error = wire.ReaderDiffers, err.Error() })
	l.failOrders(err)
	timer := time.NewTimer(l.journalWait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case werr := <-l.ended:
		return werr
	case <-timer.C:
		return nil
	}
}
