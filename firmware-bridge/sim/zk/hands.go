package zksim

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"

	"doorsync/firmware-bridge/zk/frame"
)

// Person is a user as the terminal's own menu shows them.
type Person struct {
	ID        string           `json:"id"`
	Name      string           `json:"name,omitempty"` // bytes as stored, in the terminal's code page
	Card      uint32           `json:"card,omitempty"`
	PIN       string           `json:"-"`
	Privilege uint8            `json:"privilege,omitempty"` // 0 user, 2 enroller, 6 manager, 14 administrator
	Disabled  bool             `json:"disabled,omitempty"`
	UID       uint16           `json:"uid"` // given by the terminal
	Fingers   map[uint8][]byte `json:"-"`
}

// List returns everybody the terminal holds, by uid.
func (t *Terminal) List() []Person {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]Person, 0, len(t.mem.users))
	for _, uid := range t.mem.uids() {
		out = append(out, t.person(uid))
	}
	return out
}

// Show returns one person.
func (t *Terminal) Show(id string) (Person, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	uid, ok := t.mem.byID[id]
	if !ok {
		return Person{}, fmt.Errorf("user %s: %w", id, ErrNoUser)
	}
	return t.person(uid), nil
}

func (t *Terminal) person(uid uint16) Person {
	u := t.mem.users[uid]
	p := Person{ID: u.UserID, Name: string(u.Name), Card: u.Card, PIN: u.PIN, Disabled: u.Disabled, UID: uid}
	if len(u.Raw) > 2 {
		p.Privilege = u.Raw[2] &^ 1
	}
	for finger, tpl := range t.mem.fingers[uid] {
		if p.Fingers == nil {
			p.Fingers = map[uint8][]byte{}
		}
		p.Fingers[finger] = tpl.Data
	}
	return p
}

// Enroll adds a person at the terminal's keys: its log tells of it, and a
// client that listens hears of it. It waits while a client has the keys locked.
func (t *Terminal) Enroll(p Person) error {
	return t.atKeys(func() ([]frame.Frame, error) {
		if _, ok := t.mem.byID[p.ID]; ok {
			return nil, fmt.Errorf("enroll %s: %w", p.ID, ErrExists)
		}
		if len(t.mem.users) >= t.opt.UserCapacity || t.mem.prints+len(p.Fingers) > t.opt.TemplateCapacity {
			return nil, fmt.Errorf("enroll %s: %w", p.ID, ErrFull)
		}
		p.UID = t.mem.nextUID()
		if err := t.store(p, nil); err != nil {
			return nil, fmt.Errorf("enroll: %w", err)
		}
		t.log(frame.OpNewUser, p.UID)
		events := []frame.Frame{event(frame.EventNewUser, frame.U16(p.UID))}
		t.logValues(Person{UID: p.UID}, p)
		return append(events, t.storeFingers(p)...), nil
	})
}

// Edit changes a person at the terminal's keys. Terminals log this and tell no
// client.
func (t *Terminal) Edit(id string, change func(*Person)) error {
	return t.atKeys(func() ([]frame.Frame, error) {
		uid, ok := t.mem.byID[id]
		if !ok {
			return nil, fmt.Errorf("edit %s: %w", id, ErrNoUser)
		}
		before := t.person(uid)
		p := before
		p.Fingers = maps.Clone(before.Fingers)
		change(&p)
		p.ID, p.UID = id, uid
		if err := t.store(p, t.mem.users[uid].Raw); err != nil {
			return nil, fmt.Errorf("edit: %w", err)
		}
		t.logValues(before, p)
		return nil, nil
	})
}

// Delete removes a person at the terminal's keys.
func (t *Terminal) Delete(id string) error {
	return t.atKeys(func() ([]frame.Frame, error) {
		uid, ok := t.mem.byID[id]
		if !ok {
			return nil, fmt.Errorf("delete %s: %w", id, ErrNoUser)
		}
		t.mem.deleteUser(uid)
		t.log(frame.OpDeleteUser, uid)
		return nil, nil
	})
}

// AddFinger enrolls a finger of somebody who is there, in place of what that
// finger had.
func (t *Terminal) AddFinger(id string, finger uint8, template []byte) error {
	return t.atKeys(func() ([]frame.Frame, error) {
		uid, ok := t.mem.byID[id]
		if !ok {
			return nil, fmt.Errorf("enroll a finger of %s: %w", id, ErrNoUser)
		}
		if finger > 9 || len(template) == 0 || len(template) > frame.MaxTemplate {
			return nil, fmt.Errorf("enroll finger %d of %s: fingers are 0 to 9, with a template", finger, id)
		}
		return t.storeFingers(Person{ID: id, UID: uid, Fingers: map[uint8][]byte{finger: template}}), nil
	})
}

// RemoveFinger deletes a finger at the terminal's keys.
func (t *Terminal) RemoveFinger(id string, finger uint8) error {
	return t.atKeys(func() ([]frame.Frame, error) {
		uid, ok := t.mem.byID[id]
		if !ok || !t.mem.deleteFinger(uid, finger) {
			return nil, fmt.Errorf("remove finger %d of %s: %w", finger, id, ErrNoUser)
		}
		t.log(frame.OpDeleteFinger, uid, uint16(finger))
		return nil, nil
	})
}

// Present is somebody passing: an entry in the attendance log and an event.
func (t *Terminal) Present(id string) error {
	return t.atKeys(func() ([]frame.Frame, error) {
		uid, ok := t.mem.byID[id]
		if !ok {
			return nil, fmt.Errorf("present %s: %w", id, ErrNoUser)
		}
		now := t.clock()
		t.mem.passes = append(t.mem.passes, pass{UID: uid, ID: id, Time: frame.EncodeTime(now)})
		var d [32]byte
		copy(d[:24], id)
		d[24] = 1
		copy(d[26:], []byte{byte(now.Year() % 100), byte(now.Month()), byte(now.Day()), byte(now.Hour()), byte(now.Minute()), byte(now.Second())})
		return []frame.Frame{event(frame.EventAttendance, d[:])}, nil
	})
}

// ClearOplog empties the operation log, as an administrator may.
func (t *Terminal) ClearOplog() error {
	return t.atKeys(func() ([]frame.Frame, error) {
		t.mem.oplog = nil
		return nil, nil
	})
}

// atKeys runs an act once nobody has the keys locked, saves, and tells the
// client.
func (t *Terminal) atKeys(act func() ([]frame.Frame, error)) error {
	t.mu.Lock()
	for t.disabled() {
		t.enabled.Wait()
	}
	events, err := act()
	if err == nil {
		err = t.save()
	}
	listener := t.listener(events)
	t.mu.Unlock()
	if listener != nil {
		listener.send(events, 0)
	}
	return err
}

func (t *Terminal) listener(events []frame.Frame) *session {
	if len(events) == 0 || t.active == nil || t.active.mask == 0 || t.fault == FaultSilent {
		return nil
	}
	return t.active
}

func (t *Terminal) store(p Person, raw []byte) error {
	u := frame.User{UID: p.UID, Disabled: p.Disabled, PIN: p.PIN, Name: []byte(p.Name), Card: p.Card, UserID: p.ID, Raw: raw}
	rec, err := t.layout.Append(nil, u)
	if err != nil {
		return err
	}
	rec[2] = rec[2]&1 | p.Privilege&^1
	u, err = t.layout.Parse(rec)
	if err != nil {
		return err
	}
	t.mem.putUser(u)
	return nil
}

func (t *Terminal) storeFingers(p Person) []frame.Frame {
	var events []frame.Frame
	for finger, data := range p.Fingers {
		t.mem.putFinger(frame.Template{UID: p.UID, Finger: finger, Flag: frame.FlagValid, Data: data})
		t.log(frame.OpEnrollFinger, p.UID, 0, uint16(finger), uint16(len(data)))
		d := append(frame.U16(0), frame.U16(uint16(len(data)))...)
		d = append(d, make([]byte, 10)...)
		copy(d[4:13], p.ID)
		d[13] = finger
		events = append(events, event(frame.EventEnrolled, d))
	}
	return events
}

func (t *Terminal) logValues(before, after Person) {
	op := func(changed, gone bool, enrolled, deleted uint8) {
		switch {
		case changed && gone:
			t.log(deleted, after.UID)
		case changed:
			t.log(enrolled, after.UID)
		}
	}
	op(before.PIN != after.PIN, after.PIN == "", frame.OpEnrollPassword, frame.OpDeletePassword)
	op(before.Card != after.Card, after.Card == 0, frame.OpEnrollCard, frame.OpDeleteCard)
	if before.ID != "" && (before.Name != after.Name || before.Disabled != after.Disabled || before.Privilege != after.Privilege) {
		t.log(frame.OpModifyUser, after.UID)
	}
}

func (t *Terminal) log(code uint8, v ...uint16) {
	o := frame.Op{Code: code, Time: frame.EncodeTime(t.clock())}
	copy(o.V[:], v)
	t.mem.oplog = append(t.mem.oplog, o)
	if over := len(t.mem.oplog) - t.opt.OplogCapacity; over > 0 {
		t.mem.oplog = append([]frame.Op(nil), t.mem.oplog[over:]...)
	}
}

func (t *Terminal) save() error {
	if t.opt.StateFile == "" {
		return nil
	}
	return t.mem.save(t.opt.StateFile, t.layout)
}

func event(bit frame.EventBit, data []byte) frame.Frame {
	return frame.Frame{Cmd: frame.CmdRegEvent, Session: uint16(bit), Data: data}
}

// NewTemplate makes up a template of n bytes, always the same for the same
// seed, with the head that algorithm 10 gives its own.
func NewTemplate(version string, seed uint64, n int) []byte {
	n = max(n, 16)
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range b {
		b[i] = byte(r.UintN(255) + 1)
	}
	if version == "10" {
		copy(b, []byte{0x4D, 0xFD, 'S', 'S', '2', '1', 0, 0})
		binary.BigEndian.PutUint16(b[8:], uint16(n))
	}
	return b
}
