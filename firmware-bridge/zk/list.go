package zk

import (
	"context"
	"fmt"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
	"doorsync/protocol"
)

// List reads the terminal's users and their fingerprints.
func (s *session) List(ctx context.Context) ([]driver.Row, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	return s.together(ctx, func() ([]frame.User, map[uint16][]frame.Template, error) {
		users, err := s.readUsers(ctx)
		if err != nil {
			return nil, nil, err
		}
		prints, err := s.readPrints(ctx)
		return users, prints, err
	})
}

// Get reads the rows of some users. The user table comes whole, for the
// protocol has no other way; templates are asked for one by one if that is
// cheaper and can be trusted.
func (s *session) Get(ctx context.Context, keys []string) ([]driver.Row, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	return s.together(ctx, func() ([]frame.User, map[uint16][]frame.Template, error) {
		if err := s.refresh(ctx); err != nil {
			return nil, nil, err
		}
		var users []frame.User
		for _, key := range keys {
			if u, ok := s.known.user(key); ok {
				users = append(users, u)
			}
		}
		prints, err := s.printsOf(ctx, users)
		return users, prints, err
	})
}

// busyTries is how often tables are read anew because somebody acts at the keys
// meanwhile.
const busyTries = 3

// together puts users and templates together, which are two tables joined by
// the slot alone. Somebody at the keys may act between the two: then who was
// deleted would come out as somebody whose fingers are gone, and with the finger
// of whoever was enrolled next in that slot.
func (s *session) together(ctx context.Context, read func() ([]frame.User, map[uint16][]frame.Template, error)) ([]driver.Row, error) {
	for range busyTries {
		users, prints, err := read()
		if err != nil {
			return nil, err
		}
		if len(prints) > 0 || s.known.sizes.Templates > 0 {
			sizes, err := s.sizes(ctx)
			if err != nil {
				return nil, err
			}
			if !s.known.unchanged(sizes) {
				s.stale.Store(true)
				s.known.prints = nil
				continue
			}
		}
		rows := make([]driver.Row, 0, len(users))
		for _, u := range users {
			rows = append(rows, s.row(u, prints[u.UID]))
		}
		return rows, nil
	}
	return nil, incomplete("users and templates", fmt.Errorf("somebody acts at the terminal all the while: %w", frame.ErrTable))
}

// refresh reads the user table unless it was read a moment ago and nothing has
// happened since.
func (s *session) refresh(ctx context.Context) error {
	if k := s.known; k.valid && !s.stale.Load() && time.Since(k.read) < freshFor {
		sizes, err := s.sizes(ctx)
		if err != nil || k.unchanged(sizes) {
			return err
		}
	}
	_, err := s.readUsers(ctx)
	return err
}

// few is up to how many users templates are asked for one by one.
const few = 4

// printsOf returns the templates of some users. Over UDP the table is read, in
// which every packet can be told from the others.
func (s *session) printsOf(ctx context.Context, users []frame.User) (map[uint16][]frame.Template, error) {
	if s.model.fingers == "" || len(users) == 0 || s.known.sizes.Templates == 0 {
		return nil, nil
	}
	if s.known.prints != nil && !s.link.udp && len(users) <= few && s.model.fingers == formatZK10 {
		if out, ok, err := s.singles(ctx, users); ok || err != nil {
			return out, err
		}
	}
	return s.readPrints(ctx)
}

// singles asks for the fingers of some users one by one. The terminal's count
// of templates must come out right, and what is known already must come out
// the same, or the answer is not to be trusted.
func (s *session) singles(ctx context.Context, users []frame.User) (map[uint16][]frame.Template, bool, error) {
	total := s.known.count
	out := make(map[uint16][]frame.Template, len(users))
	for _, u := range users {
		total -= len(s.known.prints[u.UID])
		for finger := range uint8(10) {
			t, ok, err := s.single(ctx, u.UID, finger)
			if err != nil || !ok {
				return nil, false, err
			}
			if t.Data != nil {
				out[u.UID] = append(out[u.UID], t)
				total++
			}
		}
	}
	if total != s.known.sizes.Templates {
		return nil, false, nil
	}
	for _, u := range users {
		s.known.forgetPrints(u.UID)
		for _, t := range out[u.UID] {
			s.known.setPrint(t)
		}
	}
	return out, true, nil
}

// single asks for one finger; ok tells that the answer can be trusted.
func (s *session) single(ctx context.Context, uid uint16, finger uint8) (t frame.Template, ok bool, err error) {
	c := collector{}
	none := false
	err = s.link.exchange(ctx, frame.CmdReadTemplate2, frame.Slot(uid, finger), func(f frame.Frame) (bool, error) {
		if f.Cmd.Refusal() {
			none = true
			return true, nil
		}
		return c.take(f)
	})
	if err != nil || none {
		return frame.Template{}, true, err
	}
	data := frame.Trim(c.data)
	t = frame.Template{UID: uid, Finger: finger, Flag: frame.FlagValid, Data: data}
	if tail := c.data[len(data):]; len(tail) > 0 && tail[len(tail)-1] == frame.FlagDuress {
		t.Flag = frame.FlagDuress
	}
	old, was := s.known.print(uid, finger)
	return t, len(data) > 0 && (!was || int(old.size) == len(data)), nil
}

// The formats of templates that terminals use.
const (
	formatZK9  = "zk9"
	formatZK10 = "zk10"
)

// row is a record in the form in which Project writes it.
func (s *session) row(u frame.User, prints []frame.Template) driver.Row {
	user := protocol.User{ID: u.UserID, Values: map[protocol.Field]protocol.Value{}}
	set := func(f protocol.Field, text string) {
		if v := protocol.Text(text); !v.IsNull() {
			user.Values[f] = v
		}
	}
	set(protocol.FieldName, s.d.charset.decode(u.Name))
	set(protocol.FieldPIN, u.PIN)
	if u.Disabled {
		set(protocol.FieldState, protocol.StateInactive)
	}
	if u.Card != 0 {
		user.Credentials = append(user.Credentials, protocol.Card(uint64(u.Card)))
	}
	for _, t := range prints {
		if t.Flag == frame.FlagInvalid || t.Finger > 9 || len(t.Data) == 0 {
			continue
		}
		c := protocol.Fingerprint(s.model.fingers, t.Finger, t.Data)
		c.Duress = t.Flag == frame.FlagDuress
		user.Credentials = append(user.Credentials, c)
	}
	return driver.Row{Key: u.UserID, User: user}
}
