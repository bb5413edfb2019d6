package reader

import (
	"testing"
	"time"

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

// TestRevokedCardsDoNotStay: a card that the office has revoked opens nothing,
// whatever other software puts into a controller, and whoever else has its number
// for a user ID.
func TestRevokedCardsDoNotStay(t *testing.T) {
	gate := func(rows ...string) *fake {
		f := newFake()
		f.cards, f.doors = true, map[int][]string{1: {"staff"}, 2: {"it"}}
		for _, number := range rows {
			f.rows["card:"+number] = cardRow(number, map[int]uint8{1: 1})
		}
		return f
	}
	revoke := func(s *site, cards ...uint64) {
		s.settings.Salt, s.settings.Revoked = []byte("salt"), nil
		for _, n := range cards {
			s.settings.Revoked = append(s.settings.Revoked, wire.RevokedHash(s.settings.Salt, protocol.Card(n).Key()))
		}
		s.office()
	}
	t.Run("put_there_by_other_software", func(t *testing.T) {
		inSite(t, func(s *site) {
			revoke(s, 7)
			f := gate("7", "8")
			s.with(f)
			f.want(t, "card:8 #8")
		})
	})
	t.Run("where_unknown_cards_are_left", func(t *testing.T) {
		inSite(t, func(s *site) {
			revoke(s, 7)
			f := gate("7", "8")
			s.with(f, func(o *Options) { o.LeaveCards = true })
			f.want(t, "card:8 #8")
		})
	})
	t.Run("whose_number_is_somebodys_user_id", func(t *testing.T) {
		inSite(t, func(s *site) {
			s.office(patch{id: "7", name: "Zoe"})
			revoke(s, 7)
			f := gate("7")
			s.with(f)
			f.want(t, "")
			s.wantUser("7", "7 Zoe")
		})
	})
	t.Run("of_somebody_without_a_group_who_was_enrolled_there", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := gate("7")
			s.with(f)
			f.want(t, "card:7 #7")
			revoke(s, 7)
			later(time.Hour)
			f.want(t, "")
		})
	})
	t.Run("allowed_again_it_may_be_put_there", func(t *testing.T) {
		inSite(t, func(s *site) {
			revoke(s, 7)
			f := gate("7")
			s.with(f)
			f.want(t, "")
			revoke(s)
			f.enter(cardRow("7", map[int]uint8{1: 1}))
			later(time.Hour)
			f.want(t, "card:7 #7")
		})
	})
}
