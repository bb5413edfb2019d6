package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"doorsync/agent/journal"
	"doorsync/agent/uplink"
	"doorsync/protocol"
)

// site is what an agent runs between its readers and the broker: the journal
// and the uplink, here without a reader in front.
type site struct {
	name string
	j    *journal.Journal
	up   *uplink.Uplink
	stop context.CancelFunc
	cut  context.CancelFunc // ends the uplink alone
	g    errgroup.Group
	link errgroup.Group
}

// startSite opens a new journal and, if asked, connects it.
func startSite(ctx context.Context, c *center, name, dir string, connect bool) (*site, error) {
	j, err := journal.Open(filepath.Join(dir, name+".db"), journal.Options{Site: name})
	if err != nil {
		return nil, err
	}
	s := &site{name: name, j: j}
	ctx, s.stop = context.WithCancel(ctx)
	s.g.Go(func() error { return j.Run(ctx) })
	if !connect {
		return s, nil
	}
	return s, s.connect(ctx, c.broker, c)
}

// connect starts the uplink to a broker's address.
func (s *site) connect(ctx context.Context, broker string, c *center) error {
	key, err := c.key(s.name)
	if err != nil {
		return err
	}
	dial, err := uplink.MQTT(uplink.MQTTOptions{URL: "mqtt://" + broker, Site: s.name, Password: key})
	if err != nil {
		return err
	}
	s.up, err = uplink.New(uplink.Options{Site: s.name, Connect: dial, Outbox: s.j, Copy: s.j, Log: s.j, Version: "bench"})
	if err != nil {
		return err
	}
	ctx, s.cut = context.WithCancel(ctx)
	s.link.Go(func() error { return s.up.Run(ctx) })
	return nil
}

// disconnect ends the uplink as a cut WAN would, and waits for it.
func (s *site) disconnect() error {
	s.cut()
	return ended(s.link.Wait())
}

func (s *site) close() error {
	err := s.disconnect()
	s.stop()
	return errors.Join(err, ended(s.g.Wait()), s.j.Close())
}

func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// enroll appends one edit of a new user of about 1 KiB and returns when it is
// durable here.
func (s *site) enroll(ctx context.Context, ids ...int) error {
	b := journal.Batch{Reader: "bench"}
	for _, id := range ids {
		b.Drafts = append(b.Drafts, journal.Draft{Event: protocol.EventEnrolled, UserID: strconv.Itoa(id), Edit: edit(id)})
	}
	_, err := s.j.Append(ctx, b)
	return err
}

// templateSize is that of each of two templates, which make a user of 1 KiB.
const templateSize = 384

func edit(id int) *protocol.Edit {
	e := &protocol.Edit{UserID: strconv.Itoa(id), Values: map[protocol.Field]protocol.Value{
		protocol.FieldName: protocol.Text("Invented Person " + strconv.Itoa(id)),
		protocol.FieldPIN:  protocol.Text(strconv.Itoa(100000 + id%900000)),
	}}
	e.Given = []protocol.Credential{protocol.Card(uint64(1_000_000 + id))}
	for finger := range 2 {
		e.Given = append(e.Given, protocol.Fingerprint("zk10", uint8(finger+5), noise(uint64(id)*2+uint64(finger))))
	}
	return e
}

// noise fills a template with bytes that do not compress, as real ones do not.
func noise(seed uint64) []byte {
	out := make([]byte, templateSize)
	x := seed*0x9e3779b97f4a7c15 + 1
	for i := range out {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		out[i] = byte(x >> 32)
	}
	return out
}

// renaming is an edit of a known user.
type renaming struct {
	id   int
	name string
}

// rename appends edits of known users and returns when they are durable here.
func (s *site) rename(ctx context.Context, some []renaming) error {
	b := journal.Batch{Reader: "bench"}
	for _, r := range some {
		who := strconv.Itoa(r.id)
		b.Drafts = append(b.Drafts, journal.Draft{
			Event: protocol.EventUpdatedReader, UserID: who,
			Edit: &protocol.Edit{UserID: who, Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(r.name)}},
		})
	}
	_, err := s.j.Append(ctx, b)
	return err
}

// await returns when the site holds the user.
func (s *site) await(ctx context.Context, sub *journal.Subscription, id int) error {
	return s.awaitUser(ctx, sub, id, func(protocol.User) bool { return true })
}

// awaitName returns when the site holds the user under a name.
func (s *site) awaitName(ctx context.Context, sub *journal.Subscription, id int, name string) error {
	return s.awaitUser(ctx, sub, id, func(u protocol.User) bool { return u.FullName() == name })
}

// awaitUser looks again after each change of the site's users.
func (s *site) awaitUser(ctx context.Context, sub *journal.Subscription, id int, ok func(protocol.User) bool) error {
	end := time.NewTimer(patience)
	defer end.Stop()
	for {
		v, found, err := s.j.User(strconv.Itoa(id))
		if err != nil || (found && ok(v.User)) {
			return err
		}
		select {
		case <-sub.C():
			sub.Take()
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return fmt.Errorf("site %s does not hold user %d as edited after %v (revision %d)", s.name, id, patience, s.j.State().Revision)
		}
	}
}
