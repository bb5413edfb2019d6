package zk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/zk/frame"
)

// The terminal is locked while it is written to. A crash unlocks it after
// lockLimit; people in front of it wait no longer than about lockSpan.
const (
	lockLimit = 60 * time.Second
	lockSpan  = 5 * time.Second
)

// Put writes rows, in batches between which people may use the terminal.
func (s *session) Put(ctx context.Context, rows []driver.Row) (driver.Results, error) {
	return s.batches(ctx, len(rows), func(ctx context.Context, i int) error { return s.putRow(ctx, rows[i]) })
}

// Delete removes users and their fingerprints.
func (s *session) Delete(ctx context.Context, keys []string) (driver.Results, error) {
	return s.batches(ctx, len(keys), func(ctx context.Context, i int) error { return s.deleteUser(ctx, keys[i]) })
}

// batches writes n things. What concerns one of them alone is its result; what
// concerns all ends the work.
func (s *session) batches(ctx context.Context, n int, write func(context.Context, int) error) (driver.Results, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	results := make(driver.Results, n)
	for next := 0; next < n; {
		err := s.locked(ctx, func() error {
			for begun := time.Now(); next < n && time.Since(begun) < lockSpan; next++ {
				results[next] = write(ctx, next)
				if err := results[next]; err != nil && !errors.Is(err, driver.ErrRefused) && !errors.Is(err, driver.ErrFull) {
					return err
				}
			}
			return nil
		})
		if err != nil {
			s.stale.Store(true)
			for i := next; i < n; i++ {
				results[i] = err
			}
			return results, err
		}
	}
	return results, nil
}

// locked runs writes while nobody can enroll at the terminal, so that the
// table that the writes rest on stays what it is. The terminal is unlocked
// whatever happens.
func (s *session) locked(ctx context.Context, write func() error) (err error) {
	defer func() { err = errors.Join(err, s.unlock(ctx, err)) }()
	if err := s.command(ctx, frame.CmdDisable, frame.U32(uint32(lockLimit/time.Second))); err != nil {
		return err
	}
	if err := s.ensure(ctx); err != nil {
		return err
	}
	s.known.read = time.Time{} // from here on it is a model, no reading
	if err := write(); err != nil {
		return err
	}
	if err := s.command(ctx, frame.CmdRefreshData, nil); err != nil {
		return err
	}
	return s.settle(ctx)
}

// settle compares the terminal's counts with what the writes should have come
// to. If they differ, the table is read again before the next write.
func (s *session) settle(ctx context.Context) error {
	sizes, err := s.sizes(ctx)
	if err != nil {
		return err
	}
	if sizes.Users != len(s.known.byID) || (s.known.prints != nil && sizes.Templates != s.known.count) {
		s.log.Debug("counts differ from what was written; the table will be read again", "reader", s.d.cfg.Name)
		s.stale.Store(true)
		s.known.prints = nil
	}
	s.known.sizes = sizes
	return nil
}

// unlock lets people use the terminal again, also when the caller gave up.
func (s *session) unlock(ctx context.Context, cause error) error {
	if cause == nil {
		return s.command(ctx, frame.CmdEnable, nil)
	}
	// No answer is waited for: the line may be what failed, and the lock ends
	// by itself.
	_ = s.link.send(frame.Frame{Cmd: frame.CmdEnable, Session: uint16(s.link.session.Load()), Reply: 0xFFFE})
	return nil
}

// putRow writes one user and makes their fingers those of the row.
func (s *session) putRow(ctx context.Context, r driver.Row) error {
	u := s.record(r, s.known.layout)
	old, exists := s.known.user(r.Key)
	if exists {
		u.UID, u.Raw = old.UID, old.Raw
	} else {
		uid, ok := s.known.freeSlot()
		if !ok {
			return fmt.Errorf("write user %s: %w", r.Key, driver.ErrFull)
		}
		u.UID = uid
	}
	rec, err := s.known.layout.Append(nil, u)
	if err != nil {
		return fmt.Errorf("%w: %w", driver.ErrRefused, err)
	}
	if err := s.write(ctx, frame.CmdWriteUser, rec, exists); err != nil {
		return fmt.Errorf("write user %s: %w", r.Key, err)
	}
	if u, err = s.known.layout.Parse(rec); err != nil {
		return err
	}
	s.known.put(u)
	if !exists {
		s.known.sizes.FreeUsers--
	}
	return s.putFingers(ctx, u, templates(r, u.UID))
}

// write sends a write; a refusal by a terminal without room is ErrFull.
func (s *session) write(ctx context.Context, cmd frame.Cmd, data []byte, exists bool) error {
	err := s.command(ctx, cmd, data)
	if errors.Is(err, driver.ErrRefused) && !exists && s.known.sizes.FreeUsers <= 0 && s.known.sizes.UserCap > 0 {
		return fmt.Errorf("%w: %d users", driver.ErrFull, s.known.sizes.UserCap)
	}
	return err
}

func (s *session) putFingers(ctx context.Context, u frame.User, want map[uint8]frame.Template) error {
	if s.model.fingers == "" {
		return nil
	}
	for _, have := range s.known.prints[u.UID] {
		if t, ok := want[have.finger]; ok && printOf(t) == have {
			delete(want, have.finger)
			continue
		}
		if err := s.deleteFinger(ctx, u, have.finger); err != nil {
			return err
		}
	}
	for _, finger := range slices.Sorted(maps.Keys(want)) {
		if err := s.putFinger(ctx, u, want[finger]); err != nil {
			return fmt.Errorf("write finger %d of user %s: %w", finger, u.UserID, err)
		}
		s.known.setPrint(want[finger])
		s.known.sizes.FreeTemplates--
	}
	return nil
}

// putFinger uploads a template. Over UDP packets get lost, come twice and come
// late, and those of an upload carry no offset: what was stored is looked at,
// and the upload begun anew if it is something else.
func (s *session) putFinger(ctx context.Context, u frame.User, t frame.Template) error {
	if s.known.sizes.TemplateCap > 0 && s.known.sizes.FreeTemplates <= 0 {
		return fmt.Errorf("%w: %d fingerprints", driver.ErrFull, s.known.sizes.TemplateCap)
	}
	err := s.upload(ctx, t)
	for try := 1; try < udpTries && s.link.udp && lossy(err); try++ {
		if err := s.deleteFinger(ctx, u, t.Finger); err != nil {
			return err
		}
		err = s.upload(ctx, t)
	}
	return err
}

// lossy reports whether an upload failed in a way that lost packets cause.
func lossy(err error) bool {
	silent := errNoAnswer{}
	return errors.Is(err, driver.ErrRefused) || errors.As(err, &silent)
}

// upload sends the template in one packet, whose arriving twice does no harm,
// and has it stored.
func (s *session) upload(ctx context.Context, t frame.Template) error {
	for _, step := range []struct {
		cmd  frame.Cmd
		data []byte
	}{
		{frame.CmdPrepareData, append(frame.U16(uint16(len(t.Data))), 0, 0)},
		{frame.CmdData, t.Data},
		{frame.CmdChecksum, nil},
		{frame.CmdWriteTemplate, frame.WriteTemplate(t)},
		{frame.CmdFreeData, nil},
	} {
		if err := s.command(ctx, step.cmd, step.data); err != nil {
			return err
		}
	}
	if s.link.udp {
		return s.stored(ctx, t)
	}
	return nil
}

// stored checks that a finger holds the template. Packets of the answer may
// come in any order and number, for what they must be is known. Firmware that
// cannot show one finger is believed.
func (s *session) stored(ctx context.Context, t frame.Template) error {
	missing := len(t.Data)
	seen := map[int]bool{}
	return s.link.exchange(ctx, frame.CmdReadTemplate2, frame.Slot(t.UID, t.Finger), func(f frame.Frame) (bool, error) {
		if f.Cmd.Refusal() {
			return true, nil
		}
		if f.Cmd != frame.CmdData {
			return false, nil
		}
		at, n := segment(t.Data, f.Data)
		if at < 0 {
			return false, fmt.Errorf("the terminal stored another template than was sent: %w", driver.ErrRefused)
		}
		if n > 0 && !seen[at] {
			seen[at] = true
			missing -= n
		}
		return missing <= 0, nil
	})
}

// segment finds a packet in the data that it is a part of: where it starts and
// how many of its bytes are data, what follows the end of the data not counted.
func segment(data, packet []byte) (at, n int) {
	for at = 0; at == 0 || at < len(data); at += frame.MaxChunkUDP {
		n = min(len(packet), len(data)-at)
		if n > 0 && bytes.Equal(data[at:at+n], packet[:n]) {
			return at, n
		}
	}
	if len(packet) < 16 {
		return 0, 0 // only what follows the template
	}
	return -1, 0
}

// deleteFinger empties a finger by whichever of two commands the firmware
// knows. A finger that is not there is no error.
func (s *session) deleteFinger(ctx context.Context, u frame.User, finger uint8) error {
	err := s.command(ctx, frame.CmdDeleteTemplate, frame.Slot(u.UID, finger))
	if errors.Is(err, driver.ErrRefused) {
		var id [25]byte
		copy(id[:24], u.UserID)
		id[24] = finger
		err = s.command(ctx, frame.CmdDeleteFinger, id[:])
	}
	if err != nil && !errors.Is(err, driver.ErrRefused) {
		return err
	}
	s.known.dropPrint(u.UID, finger)
	return nil
}

// deleteUser removes a user, fingers first: a finger left behind would open
// for whoever is given the slot next.
func (s *session) deleteUser(ctx context.Context, key string) error {
	u, ok := s.known.user(key)
	if !ok {
		return nil
	}
	for _, p := range s.known.prints[u.UID] {
		if err := s.deleteFinger(ctx, u, p.finger); err != nil {
			return err
		}
	}
	err := s.command(ctx, frame.CmdDeleteUser, frame.U16(u.UID))
	if errors.Is(err, driver.ErrRefused) {
		return s.refusedDelete(ctx, key, err)
	}
	if err != nil {
		return fmt.Errorf("delete user %s: %w", key, err)
	}
	s.known.remove(u)
	return nil
}

// refusedDelete asks the table: a terminal refuses to delete who is gone
// already, as after an answer that was lost.
func (s *session) refusedDelete(ctx context.Context, key string, refused error) error {
	if _, err := s.readUsers(ctx); err != nil {
		return err
	}
	if _, still := s.known.byID[key]; still {
		return fmt.Errorf("delete user %s: %w", key, refused)
	}
	return nil
}
