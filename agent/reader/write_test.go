package reader

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

func TestCards(t *testing.T) {
	gate := func() *fake {
		f := newFake()
		f.cards, f.doors = true, map[int][]string{1: {"staff"}, 2: {"it"}}
		return f
	}
	t.Run("a_row_for_each_card", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna", cards: []uint64{7, 8}, groups: []string{"staff"}}, patch{id: "5", cards: []uint64{9}})
			f := gate()
			s.with(f)
			f.want(t, "card:7 #7, card:8 #8")
			s.office(patch{id: "4", name: "Anna", cards: []uint64{8}, groups: []string{"staff"}})
			f.want(t, "card:8 #8")
			s.office(patch{id: "4", removed: true})
			f.want(t, "")
		})
	})
	t.Run("moves_to_somebody_else", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", cards: []uint64{7}, groups: []string{"staff"}}, patch{id: "5", groups: []string{"it"}})
			f := gate()
			s.with(f)
			s.office(patch{id: "4", groups: []string{"staff"}}, patch{id: "5", cards: []uint64{7}, groups: []string{"it"}})
			f.want(t, "card:7 #7")
			if d := f.rows["card:7"].Doors; d[1] != 0 || d[2] != 1 {
				t.Errorf("doors %v", d)
			}
		})
	})
	t.Run("unknown_card_is_adopted_and_stays", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := gate()
			f.rows["card:7"] = cardRow("7", map[int]uint8{1: 1})
			r := s.with(f)
			later(time.Hour)
			s.wantUser("7", "7 Card 7 #7")
			f.want(t, "card:7 #7")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1})
			s.wantLog(0, "reader_online", "enrolled 7")
		})
	})
	t.Run("unknown_card_is_left", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := gate()
			f.rows["card:7"] = cardRow("7", map[int]uint8{1: 1})
			r := s.with(f, func(o *Options) { o.LeaveCards = true })
			later(time.Hour)
			f.want(t, "card:7 #7")
			s.wantLog(0, "reader_online")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1, Unknown: 1})
		})
	})
	t.Run("the_cards_number_is_somebodys_user_id", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "7", name: "Zoe"})
			f := gate()
			f.rows["card:7"] = cardRow("7", map[int]uint8{1: 1})
			r := s.with(f)
			s.wantUser("7", "7 Zoe")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1, Unknown: 1})
		})
	})
	t.Run("doors_changed_at_the_controller", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", cards: []uint64{7}, groups: []string{"staff"}})
			f := gate()
			s.with(f)
			at := s.now()
			f.enter(cardRow("7", map[int]uint8{1: 1, 2: 1}))
			later(0)
			if d := f.rows["card:7"].Doors; d[2] != 0 {
				t.Errorf("doors %v", d)
			}
			s.wantLog(at, "updated_central 4")
		})
	})
}

func TestGivenUp(t *testing.T) {
	t.Run("tried_often", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"}, patch{id: "5", name: "Ben"})
			f := newFake()
			f.fail["4"] = driver.ErrFull
			r := s.with(f)
			later(time.Hour)
			f.want(t, "5 Ben")
			if f.puts != 6 {
				t.Errorf("%d writes, want five and one", f.puts)
			}
			s.wantLog(0, "reader_online", "updated_central 5", "given_up 4")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 1, GivenUp: 1})
			list, err := s.GivenUp("front")
			s.must(err)
			if len(list) != 1 || list[0].UserID != "4" || list[0].Tries != 5 || list[0].Reason != driver.ErrFull.Error() {
				t.Errorf("given up: %+v", list)
			}
			f.set(func() { clear(f.fail) })
			n, err := r.Retry(s.Context())
			s.must(err)
			later(0)
			if f.want(t, "4 Anna, 5 Ben"); n != 1 {
				t.Errorf("%d tried again", n)
			}
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 2})
		})
	})
	t.Run("refused", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			f.fail["4"] = fmt.Errorf("user 4: %w", driver.ErrRefused)
			s.with(f)
			later(time.Hour)
			if f.puts != 2 {
				t.Errorf("%d writes", f.puts)
			}
			f.set(func() { clear(f.fail) })
			s.office(patch{id: "4", name: "Anne"}) // new content is tried anew
			f.want(t, "4 Anne")
			if list, err := s.GivenUp("front"); err != nil || len(list) != 0 {
				t.Errorf("still given up: %v, %v", list, err)
			}
		})
	})
	t.Run("reader_does_not_hold_what_it_takes", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna", cards: []uint64{7}})
			f := newFake()
			f.beforeOK = func() error {
				r := f.rows["4"]
				r.User.Credentials = nil
				f.rows["4"] = r
				return nil
			}
			r := s.with(f)
			later(time.Hour)
			if f.puts != maxTries {
				t.Errorf("%d writes", f.puts)
			}
			s.wantUser("4", "4 Anna #7")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 1, GivenUp: 1})
		})
	})
	t.Run("delete", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			r := s.with(f)
			f.set(func() { f.fail["4"] = driver.ErrRefused })
			s.office(patch{id: "4", removed: true})
			later(time.Hour)
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 1, GivenUp: 1})
			if f.deletes != 2 {
				t.Errorf("%d deletes", f.deletes)
			}
			f.set(func() { clear(f.fail) })
			if _, err := r.Retry(s.Context(), "4"); err != nil {
				t.Error(err)
			}
			later(0)
			f.want(t, "")
		})
	})
}

func TestReadsBackCut(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain_%v", plain), func(t *testing.T) {
			inSite(t, func(s *site) {
				s.office(patch{id: "4", name: "Annabella Meyer"})
				f := newFake()
				f.cut, f.plain = 9, plain
				r := s.with(f)
				later(time.Hour)
				f.want(t, "4 Annabella")
				s.wantLog(0, "reader_online", "updated_central 4", "left_out 4")
				s.wantUser("4", "4 Annabella Meyer")
				if f.puts != 1 {
					t.Errorf("%d writes", f.puts)
				}
				wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1})
				f.enter(person("4", "Bella"))
				later(0)
				f.want(t, "4 Annabella")
			})
		})
	}
}

func TestLeftOut(t *testing.T) {
	inSite(t, func(s *site) {
		s.office(patch{id: "4", name: "Anna", cards: []uint64{7, 8}})
		f := newFake()
		s.with(f)
		later(10 * time.Hour)
		s.wantLog(0, "reader_online", "left_out 4", "updated_central 4")
		s.office(patch{id: "4", name: "Anne", cards: []uint64{7, 8}})
		s.wantLog(3, "updated_central 4")
	})
}

func TestCrash(t *testing.T) {
	killed := errors.New("killed")
	t.Run("between_write_and_commit", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			f.beforeOK = func() error { return killed }
			_, stop := s.start(f)
			stop()
			f.want(t, "4 Anna")
			at := s.now()
			f.beforeOK = nil
			s.with(f)
			s.wantLog(at, "reader_online", "updated_central 4")
			if f.puts != 1 {
				t.Errorf("%d writes", f.puts)
			}
		})
	})
	t.Run("between_write_and_commit_and_changed_meanwhile", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			s.office(patch{id: "4", name: "Anne"})
			f.beforeOK = func() error { return killed }
			_, stop = s.start(f)
			stop()
			f.want(t, "4 Anne")
			s.office(patch{id: "4", name: "Anneke"})
			at := s.now()
			f.beforeOK = nil
			s.with(f)
			s.wantLog(at, "reader_online", "updated_central 4") // Anne was no edit
			f.want(t, "4 Anneke")
		})
	})
	t.Run("before_the_write", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			s.office(patch{id: "4", name: "Anne", cards: []uint64{7}})
			f.beforeOK = func() error { f.rows["4"] = person("4", "Anna"); return killed } // it never arrived
			_, stop = s.start(f)
			stop()
			at := s.now()
			f.beforeOK = nil
			s.with(f)
			s.wantLog(at, "reader_online", "updated_central 4")
			f.want(t, "4 Anne #7")
		})
	})
	t.Run("journal_reopened", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			s.end()
			s.openJournal()
			at := s.now()
			s.with(f)
			s.wantLog(at, "reader_online")
		})
	})
}

func TestDiskFull(t *testing.T) {
	inSite(t, func(s *site) {
		s.office(patch{id: "4", name: "Anna"})
		f := newFake()
		r := s.with(f)
		s.breaks(func(journal.Batch) error { return errBroken })
		f.enter(person("9", "Ida"))
		s.office(patch{id: "5", name: "Ben"})
		later(time.Minute)
		f.want(t, "4 Anna, 9 Ida") // nothing is written that could not be remembered
		if st := r.State(); st.State != wire.ReaderDiffers || st.Error == "" {
			t.Errorf("state %s, error %q", st.State, st.Error)
		}
		if _, err := r.Sync(s.Context(), Order{}); !errors.Is(err, errBroken) {
			t.Errorf("sync: %v", err)
		}
		at := s.now()
		s.breaks(nil)
		later(2 * time.Minute)
		f.want(t, "4 Anna, 5 Ben, 9 Ida")
		s.wantLog(at, "enrolled 9", "updated_central 5")
		if st := r.State(); st.State != wire.ReaderInSync || st.Error != "" {
			t.Errorf("state %s, error %q", st.State, st.Error)
		}
	})
}

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

func TestKeepAlive(t *testing.T) {
	inSite(t, func(s *site) {
		f := newFake()
		s.with(f)
		later(25 * time.Hour)
		if f.pings < 100 || f.clocks != 2 {
			t.Errorf("%d pings, the clock set %d times", f.pings, f.clocks)
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

func TestOrderIsJournaled(t *testing.T) {
	inSite(t, func(s *site) {
		s.office(patch{id: "4", name: "Anna"})
		f := newFake()
		r := s.with(f)
		at := s.now()
		if _, err := r.Sync(s.Context(), Order{By: "Max"}); err != nil {
			t.Error(err)
		}
		s.wantLog(at, "sync_asked", "reader_synced")
		f.set(func() { f.fail["5"] = errors.New("busy") })
		s.office(patch{id: "5", name: "Ben"})
		at = s.now()
		if _, err := r.Sync(s.Context(), Order{By: "Max"}); err != nil {
			t.Error(err)
		}
		s.wantLog(at, "sync_asked", "reader_differs")
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
