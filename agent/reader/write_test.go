package reader

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol/wire"
)

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
