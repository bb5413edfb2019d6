package reader

import (
	"fmt"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestLog(t *testing.T) {
	inSite(t, func(s *site) {
		f := newFake()
		f.logs = true
		_, stop := s.start(f)
		at := s.now()
		f.set(func() {
			f.rows["4"] = person("4", "Anna")
			f.notices = append(f.notices,
				driver.Notice{Kind: driver.NoticeChanged, Key: "4"},
				driver.Notice{Kind: driver.NoticeUnknown, Detail: "card …6543 presented"})
		})
		later(11 * time.Second)
		s.wantLog(at, "enrolled 4", "unknown_card")
		stop()
		f.gap = "12 entries were overwritten"
		f.notices = append(f.notices, driver.Notice{Kind: driver.NoticeUnknown, Detail: "card …1 presented"})
		at = s.now()
		s.with(f)
		later(time.Minute)
		s.wantLog(at, "reader_online", "log_gap", "unknown_card")
	})
}

// What a reader's log told of is in the journal before the cursor moves.
func TestCursorMovesLast(t *testing.T) {
	inSite(t, func(s *site) {
		f := newFake()
		f.logs = true
		s.with(f)
		s.breaks(func(b journal.Batch) error {
			if len(b.Drafts) > 0 && b.Drafts[0].Event == protocol.EventEnrolled {
				return errBroken
			}
			return nil
		})
		before, err := s.Cursor("front")
		s.must(err)
		f.set(func() {
			f.rows["4"] = person("4", "Anna")
			f.notices = append(f.notices, driver.Notice{Kind: driver.NoticeChanged, Key: "4"})
		})
		later(time.Minute)
		after, err := s.Cursor("front")
		s.must(err)
		if string(before) != string(after) {
			t.Error("the cursor moved past an edit that is not in the journal")
		}
	})
}

// A cursor that the reader's log does not know any more must not keep the agent
// from the reader.
func TestBadCursor(t *testing.T) {
	inSite(t, func(s *site) {
		f := newFake()
		f.logs = true
		f.notices = make([]driver.Notice, 5)
		_, stop := s.start(f)
		stop()
		at := s.now()
		f.notices = nil // cleared, and the driver says so with an error
		r := s.with(f)
		later(time.Minute)
		s.wantLog(at, "reader_offline", "reader_online", "log_gap")
		wantState(t, r, wire.ReaderState{State: wire.ReaderInSync})
	})
}

// A terminal tells of an enrollment at once and by key, and again in its log
// without one: that must not cost the whole table each time.
func TestToldTwice(t *testing.T) {
	inSite(t, func(s *site) {
		f := newFake()
		f.logs = true
		s.with(f)
		lists := f.lists
		for i := range 5 {
			f.set(func() { f.notices = append(f.notices, driver.Notice{Kind: driver.NoticeChanged}) })
			f.enter(person(fmt.Sprint(i), "N"))
			later(0)
			s.wantUser(fmt.Sprint(i), fmt.Sprint(i)+" N")
		}
		if f.lists != lists {
			t.Errorf("the whole table was read %d times", f.lists-lists)
		}
		f.set(func() { f.rows["9"] = person("9", "Silent") }) // what nothing but the log tells of
		later(5 * time.Second)
		s.wantUser("9", "9 Silent")
		if f.lists != lists+1 {
			t.Errorf("the whole table was read %d times", f.lists-lists)
		}
		later(time.Minute)
		if f.lists != lists+1 {
			t.Errorf("the whole table was read %d times for what was known", f.lists-lists)
		}
	})
}
