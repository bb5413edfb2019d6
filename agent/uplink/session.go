package uplink

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/protocol/wire"
)

// How many messages, and bytes of them, may wait to be read. What is beyond is
// dropped and asked for again.
const (
	heardAtOnce  = 1024
	heardAtOnceB = 8 << 20
)

// message is one as it came.
type message struct {
	kind    wire.Kind
	payload []byte
}

// session is one connection's work. Messages of other sessions are ignored, so
// that nothing of an earlier connection, late or doubled, is taken for an
// answer to this one.
type session struct {
	*Uplink
	id      string
	link    Link
	in      chan message
	waiting atomic.Int64 // bytes in in
	outbox  *outbox
	inbox   *inbox
	orders  chan wire.Order
	asked   atomic.Pointer[time.Time] // first question that is not answered yet

	allTaken, allHeld atomic.Bool // of what there was at the first answer
	settled           atomic.Bool // both
}

func newSession(u *Uplink, id string) *session {
	s := &session{
		Uplink: u, id: id,
		in:     make(chan message, heardAtOnce),
		orders: make(chan wire.Order, 16),
	}
	s.outbox = newOutbox(s)
	s.inbox = newInbox(s)
	return s
}

// heard is called by the connection and only queues.
func (s *session) heard(k wire.Kind, payload []byte) {
	if s.waiting.Add(int64(len(payload))) <= heardAtOnceB {
		select {
		case s.in <- message{k, payload}:
			return
		default:
		}
	}
	s.waiting.Add(-int64(len(payload)))
	s.drop(string(k), errors.New("too many messages wait"))
}

// run works until the connection is lost or ctx ends, and returns why.
func (s *session) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range []func(context.Context) error{
		s.watchLink, s.watchCenter, s.read, s.outbox.run, s.outbox.confirming, s.inbox.run, s.tellReaders, s.obey,
	} {
		g.Go(func() error { return part(ctx) })
	}
	err := g.Wait()
	s.goodbye()
	return err
}

func (s *session) watchLink(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.link.Lost():
		return fmt.Errorf("connection lost: %w", s.link.Why())
	}
}

// How long the center may leave a question unanswered while the broker is
// there. A new connection is then tried, and people are told.
const (
	centerPatience = 12 * time.Second
	centerLook     = 3 * time.Second
)

var errCenterSilent = errors.New("the broker is there, but the center does not answer: is doorsync-central running?")

func (s *session) watchCenter(ctx context.Context) error {
	look := time.NewTicker(centerLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
			if since := s.asked.Load(); since != nil && time.Since(*since) > centerPatience {
				return errCenterSilent
			}
		}
	}
}

// asks notes that an answer is due.
func (s *session) asks() {
	now := time.Now()
	s.asked.CompareAndSwap(nil, &now)
}

// goodbye tells the center at once that the site leaves; a lost connection says
// it by the broker's word.
func (s *session) goodbye() {
	select {
	case <-s.link.Lost():
	default:
		_ = s.send(wire.KindPresence, wire.Presence{Session: s.id})
	}
}

// send encodes a message and hands it to the connection.
func (s *session) send(k wire.Kind, m any) error {
	payload, err := s.codec.Encode(m)
	if err != nil {
		return err
	}
	s.trace(wire.Up, k, payload)
	if err := s.link.Publish(k, payload); err != nil {
		return fmt.Errorf("send %s: %w", k, err)
	}
	return nil
}

// read decodes what came and hands it to those who wait for it.
func (s *session) read(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-s.in:
			s.waiting.Add(-int64(len(m.payload)))
			s.trace(wire.Down, m.kind, m.payload)
			if err := s.route(m); err != nil {
				s.drop(string(m.kind), err)
			}
		}
	}
}

func (s *session) route(m message) error {
	switch m.kind {
	case wire.KindConfirm:
		var c wire.Confirm
		if err := s.codec.Decode(m.payload, &c); err != nil {
			return err
		}
		if c.Session == s.id {
			s.asked.Store(nil)
			s.outbox.answered(c)
		}
	case wire.KindChanges:
		var c wire.Changes
		if err := s.codec.Decode(m.payload, &c); err != nil {
			return err
		}
		if c.Session == s.id {
			s.asked.Store(nil)
			s.Copy.Prepare(&c)
			s.inbox.put(c, len(m.payload))
		}
	case wire.KindOrder:
		var o wire.Order
		if err := s.codec.Decode(m.payload, &o); err != nil {
			return err
		}
		if o.Session == s.id || (o.Session == "" && o.Do == wire.DoHello) {
			s.order(o)
		}
	default:
		return fmt.Errorf("kind %q is not known to this version", m.kind)
	}
	return nil
}

// drop counts a message that is of no use; the first is logged.
func (s *session) drop(what string, err error) {
	was := s.set(func(st *Status) { st.Dropped++ })
	if was.Dropped == 0 {
		s.Logger.Warn("message from the center dropped; further ones are only counted", "kind", what, "error", err)
	}
}
