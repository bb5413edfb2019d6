package zksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"doorsync/firmware-bridge/zk/frame"
)

// memory is what the terminal remembers.
type memory struct {
	users   map[uint16]frame.User // by uid
	byID    map[string]uint16
	fingers map[uint16]map[uint8]frame.Template
	prints  int // templates in fingers
	oplog   []frame.Op
	passes  []pass
}

// pass is one entry of the attendance log.
type pass struct {
	UID  uint16
	ID   string
	Time uint32
}

func newMemory() memory {
	return memory{users: map[uint16]frame.User{}, byID: map[string]uint16{}, fingers: map[uint16]map[uint8]frame.Template{}}
}

func (m *memory) uids() []uint16 { return slices.Sorted(maps.Keys(m.users)) }

func (m *memory) nextUID() uint16 {
	var last uint16
	for uid := range m.users {
		last = max(last, uid)
	}
	return last + 1
}

func (m *memory) putUser(u frame.User) {
	if old, ok := m.users[u.UID]; ok {
		delete(m.byID, old.UserID)
	}
	m.users[u.UID], m.byID[u.UserID] = u, u.UID
}

func (m *memory) deleteUser(uid uint16) {
	delete(m.byID, m.users[uid].UserID)
	delete(m.users, uid)
	m.prints -= len(m.fingers[uid])
	delete(m.fingers, uid)
}

func (m *memory) putFinger(t frame.Template) {
	slots := m.fingers[t.UID]
	if slots == nil {
		slots = map[uint8]frame.Template{}
		m.fingers[t.UID] = slots
	}
	if _, ok := slots[t.Finger]; !ok {
		m.prints++
	}
	slots[t.Finger] = t
}

func (m *memory) deleteFinger(uid uint16, finger uint8) bool {
	if _, ok := m.fingers[uid][finger]; !ok {
		return false
	}
	m.prints--
	delete(m.fingers[uid], finger)
	return true
}

func (m *memory) userTable(l frame.Layout) []byte {
	var out []byte
	for _, uid := range m.uids() {
		out, _ = l.Append(out, m.users[uid]) // what is stored was parsed, so it fits
	}
	return out
}

func (m *memory) templateTable() []byte {
	var out []byte
	for _, uid := range slices.Sorted(maps.Keys(m.fingers)) {
		for _, finger := range slices.Sorted(maps.Keys(m.fingers[uid])) {
			out = m.fingers[uid][finger].Append(out)
		}
	}
	return out
}

// stored is the state file: records as the terminal has them.
type stored struct {
	Width     int        `json:"width"`
	Users     [][]byte   `json:"users"`
	Templates []byte     `json:"templates"`
	Oplog     []frame.Op `json:"oplog"`
	Passes    []pass     `json:"passes"`
}

func (m *memory) load(path string, l frame.Layout) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the terminal's memory: %w", err)
	}
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("read the terminal's memory: %s: %w; remove the file to start with an empty terminal", path, err)
	}
	if s.Width != l.Width {
		return fmt.Errorf("read the terminal's memory: %s holds records of %d bytes, this terminal has %d; remove the file or change users=", path, s.Width, l.Width)
	}
	for _, rec := range s.Users {
		u, err := l.Parse(rec)
		if err != nil {
			return fmt.Errorf("read the terminal's memory: %s: %w", path, err)
		}
		m.putUser(u)
	}
	ts, err := frame.ParseTemplates(s.Templates)
	if err != nil {
		return fmt.Errorf("read the terminal's memory: %s: %w", path, err)
	}
	for _, t := range ts {
		m.putFinger(t)
	}
	m.oplog, m.passes = s.Oplog, s.Passes
	return nil
}

// save writes the state file in one rename. It holds PINs and templates, so
// nobody else may read it.
func (m *memory) save(path string, l frame.Layout) error {
	s := stored{Width: l.Width, Templates: m.templateTable(), Oplog: m.oplog, Passes: m.passes}
	for table := m.userTable(l); len(table) > 0; table = table[l.Width:] {
		s.Users = append(s.Users, table[:l.Width])
	}
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("write the terminal's memory: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write the terminal's memory: %w", err)
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("write the terminal's memory: %w", err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("write the terminal's memory: %w", err)
	}
	return nil
}
