package reader

import (
	"slices"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// shows has the reader show a license plate behind the name.
func shows(t *testing.T) func(*Options) {
	t.Helper()
	tm, err := driver.ParseTemplate("{name} {custom:plate}")
	if err != nil {
		t.Fatal(err)
	}
	return func(o *Options) { o.Show = tm }
}

func TestShow(t *testing.T) {
	// Readers hold names here, so that an edit of one is seen to be taken.
	setup := func(s *site) *fake {
		s.settings.Rules = protocol.Rules{Order: []protocol.Source{protocol.SourceReaders, protocol.SourceOffice}, Settle: protocol.SettleLatest}
		s.office(patch{id: "4", name: "Anna", plate: "B-AX 1"}, patch{id: "5", name: "Ben"})
		return newFake()
	}
	t.Run("is written, and is no edit when it is read", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			s.with(f, shows(t))
			f.want(t, "4 Anna B-AX 1, 5 Ben")
			later(time.Hour)
			s.wantLog(0, "reader_online", "updated_central 4", "updated_central 5")
			s.office(patch{id: "4", name: "Anna", plate: "B-AX 2"})
			f.want(t, "4 Anna B-AX 2, 5 Ben")
			s.wantUser("4", "4 Anna")
		})
	})
	t.Run("the name is edited in it", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			s.with(f, shows(t))
			at := s.now()
			f.enter(person("4", "Anne Berg B-AX 1"))
			later(time.Minute)
			s.wantUser("4", "4 Anne Berg")
			f.want(t, "4 Anne Berg B-AX 1, 5 Ben")
			s.wantLog(at, "updated_reader 4")
		})
	})
	t.Run("the rest of it is edited", func(t *testing.T) {
		for _, text := range []string{"Anna B-AX 2", "Anne", "Anne B-AX", "B-AX 1"} {
			inSite(t, func(s *site) {
				f := setup(s)
				s.with(f, shows(t))
				at := s.now()
				f.enter(person("4", text))
				later(time.Hour)
				s.wantUser("4", "4 Anna")
				f.want(t, "4 Anna B-AX 1, 5 Ben")
				if got := s.log(at); !slices.Equal(got, []string{"value_not_kept 4", "updated_central 4"}) {
					t.Errorf("%q: journaled %q", text, got)
				}
			})
		}
	})
	t.Run("a card is added with it", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			s.with(f, shows(t))
			f.enter(person("4", "Anna B-AX 2", protocol.Card(7)))
			later(time.Hour)
			s.wantUser("4", "4 Anna #7")
			f.want(t, "4 Anna B-AX 1 #7, 5 Ben")
		})
	})
	t.Run("a reader that held plain names", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			f.rows["4"], f.rows["5"] = person("4", "Anna"), person("5", "Benny")
			s.with(f, shows(t))
			later(time.Hour)
			f.want(t, "4 Anna B-AX 1, 5 Benny")
			s.wantUser("4", "4 Anna")
			s.wantUser("5", "5 Benny")
			if slices.Contains(s.log(0), "value_not_kept 4") {
				t.Error("a plain name was taken for an edit")
			}
		})
	})
	t.Run("it is cut", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			f.cut = 8
			s.with(f, shows(t))
			later(time.Hour)
			s.wantUser("4", "4 Anna")
			f.enter(person("4", "Anne B-A"))
			later(time.Hour)
			s.wantUser("4", "4 Anna")
			f.want(t, "4 Anna B-A, 5 Ben")
		})
	})
	t.Run("somebody new", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			s.with(f, shows(t))
			f.enter(person("9", "Carl"))
			later(time.Minute)
			s.wantUser("9", "9 Carl")
		})
	})
	t.Run("it is no longer shown", func(t *testing.T) {
		inSite(t, func(s *site) {
			f := setup(s)
			_, stop := s.start(f, shows(t))
			stop()
			s.with(f)
			later(time.Hour)
			f.want(t, "4 Anna, 5 Ben")
			s.wantUser("4", "4 Anna")
		})
	})
}
