package notify

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	minServerWait = 5 * time.Second
	maxServerWait = 5 * time.Minute
	// maxLoginWait is longer: servers lock who tries a wrong password too often.
	maxLoginWait = time.Hour
	minMailWait  = time.Minute
	maxMailWait  = time.Hour
	// giveUp is how long a mail is tried that the server puts off again and again.
	giveUp = 5 * 24 * time.Hour
)

// Run sends what is in the outbox until ctx ends. A mail server that is away and
// an outbox that cannot be read are waited for.
func (n *Notifier) Run(ctx context.Context) error {
	if !n.Enabled() {
		<-ctx.Done()
		return nil
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.wake:
		case <-timer.C:
		}
		timer.Reset(n.round(ctx))
	}
}

// round sends a batch and returns after what time to look again.
func (n *Notifier) round(ctx context.Context) time.Duration {
	if !n.repay(ctx) {
		return n.o.Poll
	}
	now := n.o.Now()
	if wait := n.holdOff(now); wait > 0 {
		return wait
	}
	ids, next, err := n.pick(ctx, now)
	if err != nil {
		if ctx.Err() == nil {
			n.log.Error("mail is not sent", "error", err)
		}
		return n.o.Poll
	}
	if len(ids) > 0 {
		return n.sendAll(ctx, ids)
	}
	if wait := next.Sub(now); !next.IsZero() && wait < n.o.Poll {
		return max(wait, 0)
	}
	return n.o.Poll
}

// holdOff is for how long the server is left alone.
func (n *Notifier) holdOff(now time.Time) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	return min(n.now.until.Sub(now), maxServerWait)
}

// sendAll sends mails over one connection, and returns after what time to go on.
func (n *Notifier) sendAll(ctx context.Context, ids []uint64) time.Duration {
	s, err := n.dial(ctx)
	if err != nil {
		return n.down(ctx, err)
	}
	defer s.close()
	for _, id := range ids {
		if !n.pace(ctx) {
			return 0
		}
		if err := n.deliver(ctx, s, id); err != nil {
			s.cut()
			return n.down(ctx, err)
		}
	}
	return 0
}

// pace waits for the turn of the next mail; it returns false when ctx ends.
func (n *Notifier) pace(ctx context.Context) bool {
	if n.o.Rate == 0 {
		return ctx.Err() == nil
	}
	n.mu.Lock()
	wait := n.now.last.Add(time.Minute / time.Duration(n.o.Rate)).Sub(n.o.Now())
	n.mu.Unlock()
	if wait = min(wait, time.Minute); wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// deliver sends one mail. An error means that the connection is of no more use;
// what concerns the mail alone is settled.
func (n *Notifier) deliver(ctx context.Context, s *session, id uint64) error {
	e, ok, err := n.claim(ctx, id)
	if err != nil {
		return &failure{verdict: unmarked, stage: "outbox", err: err}
	}
	if !ok {
		return nil // somebody dropped it meanwhile
	}
	defer n.release()
	m, err := n.compose(id, e)
	if err != nil {
		n.park(ctx, id, e, err.Error())
		return nil
	}
	err = s.send(m, func() error {
		marked := e
		marked.State, marked.Attempts, marked.First = StateSending, e.Attempts+1, orNow(e.First, n.o.Now())
		if err := ctx.Err(); err != nil {
			return err
		}
		return n.put(ctx, id, marked)
	})
	if err == nil {
		n.taken(ctx, id, e)
		return nil
	}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	return n.refused(ctx, s, id, e, f)
}

func orNow(first int64, now time.Time) int64 {
	if first != 0 {
		return first
	}
	return now.UnixMilli()
}

// taken settles a mail that the server has taken.
func (n *Notifier) taken(ctx context.Context, id uint64, e entry) {
	n.settle(ctx, id, nil)
	n.up()
	n.mu.Lock()
	n.now.sent++
	n.mu.Unlock()
	n.log.Info("mail sent", "id", id, "kind", e.Mail.Kind, "source", e.Mail.Source)
	n.log.Debug("mail sent to", "id", id, "to", e.Mail.To)
}

// refused settles a mail that the server has not taken, or may have.
func (n *Notifier) refused(ctx context.Context, s *session, id uint64, e entry, f *failure) error {
	now := n.o.Now()
	n.log.Debug("mail not sent", "id", id, "to", e.Mail.To, "reason", f.Error())
	if f.verdict == unmarked {
		return f
	}
	if f.verdict == away {
		n.settle(ctx, id, &e)
		return f
	}
	e.Attempts++
	e.First, e.Reason = orNow(e.First, now), f.Error()
	switch f.verdict {
	case park:
		n.park(ctx, id, e, e.Reason)
	case unsure:
		e.State = StateSending
		n.settle(ctx, id, &e)
		n.log.Warn("a mail may have been sent: the connection ended before the mail server answered; send it again or drop it", "id", id, "kind", e.Mail.Kind)
		return f
	default:
		n.putOff(ctx, id, e, now)
	}
	if f.verdict == severed || f.stage == "content" {
		return f
	}
	n.up() // it answers, about this mail
	if f.stage == "end" {
		return nil
	}
	if err := s.client.Reset(); err != nil {
		return &failure{verdict: severed, stage: "RSET", err: err}
	}
	return nil
}

// putOff lets a mail wait longer each time, for some days.
func (n *Notifier) putOff(ctx context.Context, id uint64, e entry, now time.Time) {
	if now.Sub(time.UnixMilli(e.First)) >= giveUp {
		n.park(ctx, id, e, fmt.Sprintf("given up after %d attempts in %d days; the last: %s", e.Attempts, giveUp/(24*time.Hour), e.Reason))
		return
	}
	e.Next = now.Add(backoff(minMailWait, maxMailWait, e.Attempts)).UnixMilli()
	n.settle(ctx, id, &e)
}

func (n *Notifier) park(ctx context.Context, id uint64, e entry, reason string) {
	e.State, e.Reason, e.Next = StateParked, reason, 0
	n.settle(ctx, id, &e)
	n.log.Warn("mail refused; correct what it says in the list of mail, then send it again or drop it", "id", id, "kind", e.Mail.Kind, "source", e.Mail.Source)
}

// backoff doubles from least to most.
func backoff(least, most time.Duration, failures int) time.Duration {
	wait := least
	for range failures - 1 {
		if wait *= 2; wait >= most {
			return most
		}
	}
	return wait
}

// down notes that the server, or the outbox, takes nothing, and returns for how
// long to leave it alone.
func (n *Notifier) down(ctx context.Context, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := n.o.Now()
	n.now.fails++
	most := maxServerWait
	if t, ok := errors.AsType[trouble](err); ok && t.Stage == stageLogin {
		most = maxLoginWait
	}
	wait := backoff(minServerWait, most, n.now.fails)
	n.now.until = now.Add(wait)
	if n.now.trouble == nil {
		n.now.since = now
	}
	if n.now.trouble == nil || n.now.trouble.Error() != err.Error() {
		n.log.Warn("mail waits: the mail server does not take it; trying again", "reason", forLog(err))
	}
	n.now.trouble = err
	return wait
}

// forLog leaves out what the server said about a mail or its sender: it may
// repeat addresses.
func forLog(err error) string {
	f, ok := errors.AsType[*failure](err)
	switch {
	case !ok || f.verdict == unmarked:
		return err.Error()
	case f.code != 0:
		return fmt.Sprintf("answer %d to %s", f.code, f.stage)
	default:
		return "the connection ended at " + f.stage
	}
}

// up notes that the server has answered about a mail.
func (n *Notifier) up() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now.last = n.o.Now()
	if n.now.trouble != nil {
		n.log.Info("mail is sent again")
	}
	n.now.trouble, n.now.fails, n.now.until = nil, 0, time.Time{}
}
