package zk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
)

// freshFor is how long a table that was just read answers for a single row.
// Firmware tells of one enrollment in several events, and each would otherwise
// cost the whole table.
const freshFor = 2 * time.Second

// readUsers reads the user table and remembers it. A table that does not have
// as many users as the terminal counts is read once more, for somebody may have
// been enrolled meanwhile, and then not believed.
func (s *session) readUsers(ctx context.Context) ([]frame.User, error) {
	var err error
	for range 2 {
		var sizes frame.Sizes
		if sizes, err = s.sizes(ctx); err != nil {
			return nil, err
		}
		s.stale.Store(false) // before reading: what changes meanwhile counts
		var users []frame.User
		var layout frame.Layout
		if users, layout, err = s.readUsersOnce(ctx, sizes.Users); err == nil {
			return users, s.remember(users, layout, sizes)
		}
		s.stale.Store(true)
		if !errors.Is(err, frame.ErrTable) && !errors.Is(err, frame.ErrShort) {
			break
		}
	}
	return nil, readError("users", err)
}

// readError tells what came wrong from a connection that is gone: only the
// first says something of the table.
func readError(what string, err error) error {
	for _, e := range []error{frame.ErrTable, frame.ErrShort, frame.ErrLong, errShort} {
		if errors.Is(err, e) {
			return incomplete(what, err)
		}
	}
	return fmt.Errorf("read %s: %w", what, err)
}

func (s *session) readUsersOnce(ctx context.Context, count int) ([]frame.User, frame.Layout, error) {
	body, err := s.readTable(ctx, frame.Users())
	if count == 0 && (err == nil && len(body) == 0 || errors.Is(err, driver.ErrRefused)) {
		layout, err := frame.LayoutOf(s.width()) // an empty terminal, which some firmware refuses to read
		return nil, layout, err
	}
	if err != nil {
		return nil, frame.Layout{}, err
	}
	return frame.ParseUsers(body, count)
}

// remember keeps what was read, unless it contradicts itself.
func (s *session) remember(users []frame.User, layout frame.Layout, sizes frame.Sizes) error {
	k := known{
		valid: true, read: time.Now(), layout: layout, sizes: sizes, prints: s.known.prints, count: s.known.count,
		byID: make(map[string]held, len(users)), byUID: make(map[uint16]string, len(users)),
	}
	for _, u := range users {
		if !plausibleID(u.UserID) {
			return incomplete("users", fmt.Errorf("the user in slot %d has no readable user ID: give them one at the terminal, or delete them", u.UID))
		}
		_, twice := k.byID[u.UserID]
		if _, sameSlot := k.byUID[u.UID]; twice || sameSlot || u.UID == 0 {
			return incomplete("users", fmt.Errorf("user %s in slot %d: the slot or the user ID occurs twice: %w", u.UserID, u.UID, frame.ErrTable))
		}
		k.put(u)
	}
	s.known = k
	s.found.Store(int32(layout.Width))
	return nil
}

// plausibleID reports whether a user ID is one that people could have typed.
func plausibleID(id string) bool {
	if id == "" {
		return false
	}
	for _, r := range id {
		if r <= ' ' || r > '~' {
			return false
		}
	}
	return true
}

// readPrints reads the template table, remembers what is in it and returns it
// by slot.
func (s *session) readPrints(ctx context.Context) (map[uint16][]frame.Template, error) {
	if s.model.fingers == "" {
		return nil, nil
	}
	var err error
	for range 2 {
		var sizes frame.Sizes
		if sizes, err = s.sizes(ctx); err != nil {
			return nil, err
		}
		var ts []frame.Template
		if ts, err = s.readPrintsOnce(ctx, sizes.Templates); err == nil {
			out := s.rememberPrints(ts)
			s.known.count = sizes.Templates
			return out, nil
		}
		if !errors.Is(err, frame.ErrTable) {
			break
		}
	}
	return nil, readError("fingerprint templates", err)
}

func (s *session) readPrintsOnce(ctx context.Context, count int) ([]frame.Template, error) {
	if count == 0 {
		return nil, nil
	}
	body, err := s.readTable(ctx, frame.Templates())
	if err != nil {
		return nil, err
	}
	ts, err := frame.ParseTemplates(body)
	if err == nil && len(ts) < count {
		err = fmt.Errorf("%d templates of %d: %w", len(ts), count, frame.ErrTable)
	}
	return ts, err
}

func (s *session) rememberPrints(ts []frame.Template) map[uint16][]frame.Template {
	s.known.prints = make(map[uint16][]print, len(ts))
	out := make(map[uint16][]frame.Template, len(ts))
	for _, t := range ts {
		s.known.setPrint(t)
		out[t.UID] = append(out[t.UID], t)
	}
	return out
}

// ensure makes sure that what is remembered is what the terminal has, reading
// no more than it must.
func (s *session) ensure(ctx context.Context) error {
	sizes, err := s.sizes(ctx)
	if err != nil {
		return err
	}
	if s.stale.Load() || !s.known.unchanged(sizes) {
		if _, err := s.readUsers(ctx); err != nil {
			return err
		}
		s.known.prints = nil // a finger may have been enrolled anew in its place
	}
	s.known.sizes.FreeUsers, s.known.sizes.FreeTemplates = sizes.FreeUsers, sizes.FreeTemplates
	if s.model.fingers != "" && (s.known.prints == nil || s.known.count != sizes.Templates) {
		if _, err := s.readPrints(ctx); err != nil {
			return err
		}
	}
	return nil
}
