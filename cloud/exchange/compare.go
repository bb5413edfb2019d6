package exchange

import (
	"bytes"
	"context"

	"doorsync/protocol/wire"
)

const (
	bucketsAtOnce = 64 // of users asked for in one message
	mendRounds    = 64 // since one hello; a difference that lives longer waits for the next
)

// compare looks whether a site that says that it has caught up holds what it
// should.
func (x *Exchange) compare(ctx context.Context, s *site, h wire.Hello) {
	if h.Roster != x.Roster.ID() {
		return
	}
	want, err := x.Roster.SiteDigest(ctx, s.name)
	if err != nil {
		x.Logger.Warn("compare with a site", "site", s.name, "error", err)
		return
	}
	root := wire.Root(&want)
	if bytes.Equal(root[:], h.Digest) {
		return
	}
	missing, err := x.Roster.Changes(ctx, s.name, h.Revision, nil, 1)
	if err != nil || len(missing.Users) > 0 || missing.Page != nil {
		return // it has not caught up with what came since; it is compared another time
	}
	x.askDigest(s, h.Session, nil)
}

func (x *Exchange) askDigest(s *site, session string, buckets []uint8) {
	_, err := x.send(s.name, wire.KindOrder, wire.Order{Session: session, Do: wire.DoDigest, Buckets: buckets})
	if err != nil {
		x.Logger.Debug("compare with a site", "site", s.name, "error", err)
	}
}

// heardDigest leaves a digest to the tellers, so that what is mended and what
// is told stay in order.
func (x *Exchange) heardDigest(s *site, d wire.Digest) {
	if !x.current(s, d.Session) {
		return
	}
	s.mu.Lock()
	s.rounds++
	ok := s.rounds <= mendRounds
	if ok {
		s.mend = &d
	}
	s.mu.Unlock()
	if ok {
		x.mouth.add(s)
	}
}

// mend narrows a difference down, then puts it right.
func (x *Exchange) mend(ctx context.Context, s *site, t turn) error {
	if len(t.mend.Of) == 0 {
		return x.narrow(ctx, s, t)
	}
	c, err := x.Roster.Mend(ctx, s.name, *t.mend)
	if err != nil {
		return err
	}
	if len(c.Users) > 0 {
		c.Session = t.session
		x.Logger.Warn("site's copy differed from the roster; it is mended", "site", s.name, "users", len(c.Users))
		if _, err := x.send(s.name, wire.KindChanges, c); err != nil {
			return err
		}
	}
	if len(c.Users) > 0 || c.More {
		x.askDigest(s, t.session, nil) // until nothing differs
	}
	return nil
}

// narrow asks for the users of the buckets that differ.
func (x *Exchange) narrow(ctx context.Context, s *site, t turn) error {
	if len(t.mend.Buckets) != wire.Buckets {
		return nil
	}
	want, err := x.Roster.SiteDigest(ctx, s.name)
	if err != nil {
		return err
	}
	var differ []uint8
	for i := range want {
		if !bytes.Equal(want[i][:], t.mend.Buckets[i]) && len(differ) < bucketsAtOnce {
			differ = append(differ, uint8(i))
		}
	}
	if len(differ) > 0 {
		x.askDigest(s, t.session, differ)
	}
	return nil
}
