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

func TestGoal(t *testing.T) {
	t.Run("wanted_and_not_there", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna", cards: []uint64{6543}}, patch{id: "5", name: "Ben"})
			f := newFake()
			r := s.with(f)
			f.want(t, "4 Anna #6543, 5 Ben")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 2})
			s.wantLog(0, "reader_online", "updated_central 4", "updated_central 5")
		})
	})
	t.Run("changed_at_the_office", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f)
			lists := f.lists
			s.office(patch{id: "4", name: "Anne"})
			f.want(t, "4 Anne")
			if f.lists != lists {
				t.Error("the whole table was read for one user")
			}
		})
	})
	t.Run("deleted_at_the_office", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"}, patch{id: "5", name: "Ben"})
			f := newFake()
			r := s.with(f)
			at := s.now()
			s.office(patch{id: "4", removed: true})
			f.want(t, "5 Ben")
			s.wantLog(at, "removed_central 4")
			s.office(patch{id: "5", gone: true})
			f.want(t, "")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync})
		})
	})
	t.Run("renumbered_at_the_office", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f)
			s.office(patch{id: "7", was: "4", name: "Anna"})
			f.want(t, "7 Anna")
			s.wantUser("4", "7 Anna")
		})
	})
	t.Run("own_write_is_no_edit", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f)
			at := s.now()
			f.tell(driver.Notice{Kind: driver.NoticeChanged, Key: "4"})
			f.tell(driver.Notice{Kind: driver.NoticeChanged})
			later(time.Hour)
			s.wantLog(at)
		})
	})
	t.Run("already_there", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			f.rows["4"] = person("4", "Anna")
			s.with(f)
			s.wantLog(0, "reader_online")
			if f.puts != 0 {
				t.Error("what was there was written again")
			}
		})
	})
}

func TestEditsAtTheReader(t *testing.T) {
	t.Run("enrolled", func(t *testing.T) {
		inSite(t, func(s *site) {
			front, back := newFake(), newFake()
			back.serial = "B1"
			r := s.with(front)
			other := s.with(back, func(o *Options) { o.Name = "back" })
			at := s.now()
			front.enter(person("4", "Anna", protocol.Card(6543)))
			later(0)
			s.wantLog(at, "enrolled 4", "updated_central 4")
			s.wantUser("4", "4 Anna #6543")
			back.want(t, "4 Anna #6543")
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1})
			wantState(t, other, wire.ReaderState{State: wire.ReaderInSync, Users: 1})
			s.office(patch{id: "5", name: "Ben"})
			later(0)
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 2})
		})
	})
	t.Run("edited", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", pin: "11"})
			f := newFake()
			s.with(f)
			at := s.now()
			f.enter(person("4", "Anna", protocol.Card(6543)))
			later(0)
			s.wantLog(at, "updated_reader 4", "updated_central 4")
			f.want(t, "4 Anna pin 11 #6543") // the PIN shown empty says nothing
		})
	})
	t.Run("value_of_the_office_comes_back", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f)
			at := s.now()
			f.enter(person("4", "Hanna"))
			later(0)
			f.want(t, "4 Anna")
			s.wantLog(at, "updated_reader 4", "value_not_kept 4", "updated_central 4")
		})
	})
	t.Run("known_and_never_seen_fills_vacant_values", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			row := person("4", "Old name", protocol.Card(99))
			row.User.Values[protocol.FieldPIN] = protocol.Text("77")
			f.rows["4"] = row
			s.with(f)
			f.want(t, "4 Anna pin 77 #99")
		})
	})
	t.Run("stale_is_no_edit", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			at := s.now()
			s.office(patch{id: "4", name: "Anne"})
			s.with(f)
			s.wantLog(at, "reader_online", "updated_central 4")
			f.want(t, "4 Anne")
		})
	})
	t.Run("edited_and_changed_meanwhile", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			at := s.now()
			s.office(patch{id: "4", name: "Anne"})
			f.rows["4"] = person("4", "Anna", protocol.Card(5)) // the name is stale, the card is an edit
			s.with(f)
			s.wantLog(at, "reader_online", "updated_reader 4", "updated_central 4")
			f.want(t, "4 Anne #5")
		})
	})
	t.Run("credential_removed_comes_back", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna", cards: []uint64{7}})
			f := newFake()
			s.with(f)
			at := s.now()
			f.enter(person("4", "Anna"))
			later(0)
			f.want(t, "4 Anna #7")
			s.wantLog(at, "updated_reader 4", "updated_central 4")
		})
	})
	t.Run("credential_withdrawn_where_the_rules_let_it", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.settings.Rules.Withdraw = true
			s.office()
			f := newFake()
			s.with(f)
			f.enter(person("4", "Anna", protocol.Card(7)))
			later(0)
			f.enter(person("4", "Anna"))
			later(0)
			f.want(t, "4 Anna")
			s.wantUser("4", "4 Anna")
		})
	})
	t.Run("card_replaced_on_a_reader_with_room_for_one", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna", cards: []uint64{7}})
			f := newFake()
			s.with(f)
			at := s.now()
			f.enter(person("4", "Anna", protocol.Card(8)))
			later(0)
			f.want(t, "4 Anna #8")
			s.wantLog(at, "updated_reader 4", "left_out 4")
		})
	})
	t.Run("card_of_somebody_else", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna", cards: []uint64{7}}, patch{id: "5", name: "Ben"})
			f := newFake()
			s.with(f)
			at := s.now()
			f.enter(person("5", "Ben", protocol.Card(7)))
			later(0)
			f.want(t, "4 Anna #7, 5 Ben")
			s.wantLog(at, "updated_reader 5", "credential_refused 5", "updated_central 5")
		})
	})
	t.Run("edited_after_the_delete", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			_, stop := s.start(f)
			stop()
			at := s.now()
			s.office(patch{id: "4", removed: true})
			f.rows["4"] = person("4", "Hanna")
			s.with(f)
			f.want(t, "")
			s.wantLog(at, "reader_online", "too_late 4", "removed_central 4")
		})
	})
	t.Run("enrolled_again_after_the_delete", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "4", name: "Anna"})
			f := newFake()
			s.with(f)
			s.office(patch{id: "4", removed: true})
			f.enter(person("4", "Zoe"))
			later(0)
			f.want(t, "4 Zoe")
			s.wantUser("4", "4 Zoe")
		})
	})
	t.Run("outside_the_range", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := newFake()
			s.with(f, func(o *Options) {
				o.OwnID = func(id string) bool { return id == "5001" }
				o.EnrollmentGroup = "staff"
			})
			f.enter(person("17", "Anna"))
			later(0)
			s.wantUser("17", "17 Anna staff")
			for e, err := range s.Entries(journal.Query{User: "17", Events: []protocol.Event{protocol.EventEnrolled}}) {
				s.must(err)
				if e.Detail != "the user ID is outside this site's range" {
					t.Errorf("detail %q", e.Detail)
				}
			}
		})
	})
}

func TestWithoutGetter(t *testing.T) {
	inSite(t, func(s *site) {
		s.office(patch{id: "4", name: "Anna"})
		f := newFake()
		f.plain = true
		s.with(f)
		s.office(patch{id: "4", name: "Anne"}, patch{id: "5", name: "Ben"})
		f.want(t, "4 Anne, 5 Ben")
		at := s.now()
		f.enter(person("6", "Cleo"))
		later(0)
		f.drop("5")
		later(0)
		s.wantLog(at, "enrolled 6", "deleted_at_reader 5")
		s.office(patch{id: "4", removed: true})
		f.want(t, "6 Cleo")
		later(time.Hour)
		f.want(t, "5 Ben, 6 Cleo")
	})
}

func TestFirstRoster(t *testing.T) {
	wait := func(o *Options) { o.FirstRoster = 10 * time.Second }
	t.Run("known_to_the_center", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := newFake()
			f.rows["4"] = person("4", "Anna")
			r := s.with(f, wait)
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1, Unknown: 1})
			s.office(patch{id: "4", name: "Anna"})
			wantState(t, r, wire.ReaderState{State: wire.ReaderInSync, Users: 1})
			s.wantLog(0, "reader_online")
		})
	})
	t.Run("center_does_not_answer", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := newFake()
			f.rows["4"] = person("4", "Anna")
			s.with(f, wait)
			s.wantLog(0, "reader_online")
			later(11 * time.Second)
			s.wantLog(0, "reader_online", "enrolled 4")
		})
	})
}

func TestSwapped(t *testing.T) {
	inSite(t, func(s *site) {
		s.office(patch{id: "4", name: "Anna"}, patch{id: "5", name: "Ben"})
		f := newFake()
		_, stop := s.start(f)
		stop()
		at := s.now()
		f.serial, f.rows = "B2", map[string]driver.Row{"9": person("9", "Ida")}
		s.with(f)
		s.wantLog(at, "reader_swapped", "reader_online", "enrolled 9", "updated_central 4", "updated_central 5")
		f.want(t, "4 Anna, 5 Ben, 9 Ida")
	})
}

func TestOffline(t *testing.T) {
	inSite(t, func(s *site) {
		s.office(patch{id: "4", name: "Anna"})
		f := newFake()
		f.down = errors.New("no route to host")
		r := s.with(f)
		wantState(t, r, wire.ReaderState{State: wire.ReaderOffline})
		later(10 * time.Minute)
		s.wantLog(0, "reader_offline")
		if f.opens < 10 || f.opens > 20 {
			t.Errorf("tried %d times in ten minutes", f.opens)
		}
		f.set(func() { f.down = nil })
		later(time.Minute + time.Second)
		f.want(t, "4 Anna")
		f.set(func() { f.down = errors.New("connection reset") })
		later(11 * time.Second)
		s.wantLog(0, "reader_offline", "reader_online", "updated_central 4", "reader_offline")
		if _, err := r.Sync(s.Context(), Order{}); err == nil {
			t.Error("sync of a reader that is offline: no error")
		}
	})
}

func TestShortTable(t *testing.T) {
	inSite(t, func(s *site) {
		for i := range 30 {
			s.office(patch{id: fmt.Sprint(100 + i), name: "N"})
		}
		f := newFake()
		_, stop := s.start(f)
		stop()
		at := s.now()
		before := f.holds()
		f.short = true
		r := s.with(f)
		later(5 * time.Minute)
		s.wantLog(at, "reader_offline")
		f.want(t, before)
		if r.State().Error == "" {
			t.Error("no word of the table that came short")
		}
	})
}
