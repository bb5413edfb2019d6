package exchange

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"doorsync/protocol/wire"
)

// How much may wait to be read. What is beyond is dropped; sites send again
// what is not confirmed.
const (
	waitingMessages = 8192
	waitingBytes    = 32 << 20
)

var errFull = errors.New("too many messages wait")

type raw struct {
	topic   string
	payload []byte
}

// intake is the queue between the connection and the exchange.
type intake struct {
	queue chan raw
	bytes atomic.Int64
}

func (i *intake) init() { i.queue = make(chan raw, waitingMessages) }

// Heard takes in a message of a site. It only queues.
func (x *Exchange) Heard(topic string, payload []byte) {
	if x.in.bytes.Add(int64(len(payload))) <= waitingBytes {
		select {
		case x.in.queue <- raw{topic, payload}:
			return
		default:
		}
	}
	x.in.bytes.Add(-int64(len(payload)))
	x.drop("", DropOverflow, false, errFull)
}

// read decodes what came and hands it to those who deal with it.
func (x *Exchange) read(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-x.in.queue:
			x.in.bytes.Add(-int64(len(m.payload)))
			x.message(m)
		}
	}
}

func (x *Exchange) message(m raw) {
	x.count.mu.Lock()
	x.count.heard++
	x.count.mu.Unlock()
	name, kind, err := x.Topics.ParseUp(m.topic)
	if err != nil {
		x.drop("", DropForeign, false, err)
		return
	}
	s := x.site(name)
	if s == nil {
		x.drop(name, DropUnknown, false, errors.New("add the site with 'doorsync-central sites add', or stop its agent"))
		return
	}
	x.trace(name, wire.Up, kind, m.payload)
	if err := x.route(s, kind, m.payload); err != nil {
		why := reason(err)
		if errors.Is(err, errKind) {
			why = DropKind
		}
		x.drop(name, why, true, err)
	}
}

var errKind = errors.New("not known to this version")

func (x *Exchange) route(s *site, k wire.Kind, payload []byte) error {
	switch k {
	case wire.KindHello:
		return decoded(x, payload, func(m wire.Hello) { x.heardHello(s, m) })
	case wire.KindJournal:
		return decoded(x, payload, func(m wire.Journal) { x.heardJournal(s, m, len(payload)) })
	case wire.KindPull:
		return decoded(x, payload, func(m wire.Pull) { x.heardPull(s, m) })
	case wire.KindReaders:
		return decoded(x, payload, func(m wire.Readers) {
			if x.current(s, m.Session) {
				x.notes.readers(s.name, m.Readers)
			}
		})
	case wire.KindDigest:
		return decoded(x, payload, func(m wire.Digest) { x.heardDigest(s, m) })
	case wire.KindDone:
		return decoded(x, payload, func(m wire.Done) { x.waits.done(s.name, m) })
	case wire.KindPresence:
		return decoded(x, payload, func(m wire.Presence) {
			if !m.Online && s.leave(m.Session) {
				x.notes.seen(s.name, false)
			}
		})
	}
	return fmt.Errorf("kind %q: %w", k, errKind)
}

func decoded[M any](x *Exchange, payload []byte, then func(M)) error {
	var m M
	if err := x.codec.Decode(payload, &m); err != nil {
		return err
	}
	then(m)
	return nil
}

// current reports whether a message belongs to the site's session. A session
// that nobody here knows, since the center began after it, is asked to begin
// anew.
func (x *Exchange) current(s *site, session string) bool {
	ok, ask := s.is(session, x.Now())
	if ask {
		x.askHello(s.name)
	}
	if !ok {
		x.drop(s.name, DropSession, true, nil)
	}
	return ok
}

func (x *Exchange) askHello(site string) {
	if _, err := x.send(site, wire.KindOrder, wire.Order{Do: wire.DoHello}); err != nil {
		x.Logger.Debug("ask a site what it has", "site", site, "error", err)
	}
}
