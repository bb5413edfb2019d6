package reader

import (
	"fmt"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol/wire"
)

func people(from, to int) []patch {
	var out []patch
	for i := from; i < to; i++ {
		out = append(out, patch{id: fmt.Sprint(i), name: "N"})
	}
	return out
}

func TestDeletedAtTheReader(t *testing.T) {
	leave := func(o *Options) { o.Leave = true }
	t.Run("restore_at_the_next_full_pass", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"}, patch{id: "5", name: "Ben"})
			f := newFake()
			r := s.with(f)
			at := s.now()
			f.drop("4")
			f.tell(driver.Notice{Kind: driver.NoticeChanged}) // something else changed: no sync
			later(0)
			s.wantLog(at, "deleted_at_reader 4")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 1, Add: 1})
			s.wantUser("4", "4 Anna")
			later(16 * time.Minute)
			f.want(t, "4 Anna, 5 Ben")
			s.wantLog(at, "deleted_at_reader 4", "updated_central 4")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 2})
		})
	})
	t.Run("restore_at_a_sync", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			r := s.with(f)
			f.drop("4")
			later(0)
			st, err := r.Sync(s.Context(), Order{By: "Max"})
			s.must(err)
			if f.want(t, "4 Anna"); st.State != wire.ReaderInSync {
				t.Errorf("state %s", st.State)
			}
		})
	})
	t.Run("noticed_by_the_very_sync_that_restores", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			r := s.with(f)
			at := s.now()
			f.set(func() { delete(f.rows, "4") })
			st, err := r.Sync(s.Context(), Order{By: "Max"})
			s.must(err)
			if f.want(t, "4 Anna"); st.State != wire.ReaderInSync || st.Users != 1 {
				t.Errorf("state %+v", st)
			}
			s.wantLog(at, "sync_asked", "deleted_at_reader 4", "updated_central 4", "reader_synced")
		})
	})
	t.Run("deleted_while_the_agent_was_away", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			at := s.now()
			delete(f.rows, "4")
			s.with(f)
			s.wantLog(at, "reader_online", "deleted_at_reader 4")
			later(16 * time.Minute)
			f.want(t, "4 Anna")
		})
	})
	t.Run("leave", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"}, patch{id: "5", name: "Ben"})
			f := newFake()
			r := s.with(f, leave)
			f.drop("4")
			later(10 * time.Hour)
			s.office(patch{id: "4", name: "Anne"})
			if _, err := r.Sync(s.Context(), Order{}); err != nil {
				t.Error(err)
			}
			f.want(t, "5 Ben")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 1, Add: 1})
			if _, err := r.Sync(s.Context(), Order{Restore: true}); err != nil {
				t.Error(err)
			}
			f.want(t, "4 Anne, 5 Ben")
		})
	})
	t.Run("leave_and_enrolled_again_at_the_reader", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f, leave)
			f.drop("4")
			later(0)
			f.enter(person("4", ""))
			later(0)
			f.want(t, "4 Anna")
		})
	})
	t.Run("reset_and_restore", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(people(100, 130)...)
			f := newFake()
			s.with(f)
			at := s.now()
			f.set(func() { clear(f.rows) })
			f.tell(driver.Notice{Kind: driver.NoticeChanged})
			later(0)
			if got := s.log(at); len(got) != 31 || got[0] != "reader_differs" || got[1] != "updated_central 100" {
				t.Errorf("%d entries, the first %q", len(got), got[:min(3, len(got))])
			}
			if len(f.rows) != 30 {
				t.Errorf("%d users are back", len(f.rows))
			}
		})
	})
	t.Run("reset_and_leave", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(people(100, 130)...)
			f := newFake()
			r := s.with(f, leave)
			at := s.now()
			f.set(func() { clear(f.rows) })
			f.tell(driver.Notice{Kind: driver.NoticeChanged})
			later(time.Hour)
			s.wantLog(at, "reader_differs")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Add: 30})
			if _, err := r.Sync(s.Context(), Order{Restore: true}); err != nil {
				t.Error(err)
			}
			if len(f.rows) != 30 {
				t.Errorf("%d users are back", len(f.rows))
			}
		})
	})
}

func TestDeletesHeld(t *testing.T) {
	removed := func(ps []patch) []patch {
		for i := range ps {
			ps[i] = patch{id: ps[i].id, removed: true}
		}
		return ps
	}
	t.Run("too_many_at_once", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(people(100, 140)...)
			f := newFake()
			r := s.with(f)
			at := s.now()
			s.office(removed(people(100, 112))...)
			later(time.Hour)
			s.wantLog(at, "deletes_held")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 40, Held: 12})
			if _, err := r.Sync(s.Context(), Order{}); err != nil || len(f.rows) != 40 {
				t.Errorf("%d users after a sync without confirmation, error %v", len(f.rows), err)
			}
			if _, err := r.Sync(s.Context(), Order{ConfirmDeletes: true}); err != nil || len(f.rows) != 28 {
				t.Errorf("%d users after a sync with confirmation, error %v", len(f.rows), err)
			}
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 28})
		})
	})
	t.Run("too_many_one_after_another", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(people(100, 140)...)
			f := newFake()
			_, stop := s.start(f)
			for _, p := range removed(people(100, 120)) {
				s.office(p)
			}
			later(time.Hour)
			stop()
			r := s.with(f)
			later(time.Hour)
			_, err := r.Sync(s.Context(), Order{})
			s.must(err)
			if len(f.rows) != 30 {
				t.Errorf("%d users are left; ten of forty may go without a person's word", len(f.rows))
			}
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 30, Held: 10})
			at := s.now()
			s.office(patch{id: "110", name: "Back"}, patch{id: "130", removed: true})
			later(time.Hour)
			s.wantLog(at, "removed_central 130", "updated_central 110")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 29, Held: 9})
			_, err = r.Sync(s.Context(), Order{ConfirmDeletes: true})
			s.must(err)
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 20})
			at = s.now()
			s.office(patch{id: "110", removed: true})
			later(0)
			s.wantLog(at, "removed_central 110")
		})
	})
	t.Run("ten_may_go", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(people(100, 110)...)
			f := newFake()
			s.with(f)
			s.office(removed(people(100, 110))...)
			f.want(t, "")
		})
	})
}

func TestModes(t *testing.T) {
	t.Run("off", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Mode = wire.ModeOff
			s.office(patch{id: "4", name: "Anna"}, patch{id: "5", name: "Ben"})
			f := newFake()
			f.rows["5"] = person("5", "Bob")
			f.rows["9"] = person("9", "Ida")
			r := s.with(f)
			later(time.Hour)
			s.office(patch{id: "6", name: "Cleo"})
			f.want(t, "5 Bob, 9 Ida")
			s.wantLog(0, "mode_changed", "reader_online")
			wantState(t, r, wire.ReaderState{State: wire.ReaderDiffers, Users: 2, Add: 2, Update: 1, Unknown: 1})
			if _, err := r.Sync(s.Context(), Order{}); err != nil {
				t.Error(err)
			}
			f.want(t, "4 Anna, 5 Ben, 6 Cleo, 9 Ida")
			s.wantUser("9", "9 Ida")
		})
	})
	t.Run("all", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Mode = wire.ModeAll
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			r := s.with(f)
			at := s.now()
			f.enter(person("4", "Hanna"))
			f.enter(person("9", "Ida"))
			later(time.Hour)
			f.want(t, "4 Anna, 9 Ida")
			s.wantLog(at, "not_taken 4", "updated_central 4")
			s.wantUser("9", "none")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 2, Unknown: 1})
		})
	})
	t.Run("groups", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Mode = wire.ModeGroups
			s.office(patch{id: "4", name: "Anna", groups: []string{"staff"}}, patch{id: "5", name: "Ben", groups: []string{"it"}})
			f := newFake()
			r := s.with(f, func(o *Options) { o.Groups = []string{"staff"} })
			f.want(t, "4 Anna")
			s.office(patch{id: "5", name: "Ben", groups: []string{"it", "staff"}}, patch{id: "4", name: "Anna", groups: []string{"it"}})
			f.want(t, "5 Ben")
			f.enter(person("9", "Ida"))
			later(time.Hour)
			f.want(t, "5 Ben, 9 Ida")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 2})
		})
	})
	t.Run("groups_leave_the_reader", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Mode = wire.ModeGroups
			s.office(patch{id: "4", name: "Anna", groups: []string{"staff"}})
			f := newFake()
			s.with(f, func(o *Options) { o.Groups = []string{"staff"} })
			s.office(patch{id: "4", gone: true}, patch{id: "6", name: "Anna", groups: []string{"it"}})
			f.want(t, "")
		})
	})
	t.Run("groups_without_any_here", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			r := s.with(f)
			s.settings.Mode = wire.ModeGroups
			s.office(patch{id: "5", name: "Ben"})
			f.want(t, "4 Anna")
			if r.State().Error == "" {
				t.Error("no word of the missing groups")
			}
		})
	})
	t.Run("mode_changed", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Mode = wire.ModeOff
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f)
			s.settings.Mode = wire.ModeAllReaders
			s.office()
			f.want(t, "4 Anna")
		})
	})
	t.Run("stays_until_the_office_gives_a_group", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Mode = wire.ModeGroups
			s.office()
			front, back := newFake(), newFake()
			back.serial = "B1"
			staff := func(o *Options) { o.Groups = []string{"staff"} }
			s.with(front, staff)
			s.with(back, staff, func(o *Options) { o.Name = "back" })
			front.enter(person("9", "Ida"))
			later(time.Hour)
			front.want(t, "9 Ida")
			back.want(t, "")
			s.took = true
			s.office(patch{id: "9", name: "Ida", groups: []string{"staff"}})
			back.want(t, "9 Ida")
		})
	})
}
