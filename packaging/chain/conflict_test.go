package chain

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"doorsync/agent/journal"
	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// enrollAs enrolls somebody with cards at a site under an ID.
func (s *site) enrollAs(id, name string, cards ...uint64) {
	s.t.Helper()
	e := &protocol.Edit{UserID: id, Values: map[protocol.Field]protocol.Value{protocol.FieldName: protocol.Text(name)}}
	for _, n := range cards {
		e.Given = append(e.Given, protocol.Card(n))
	}
	b := journal.Batch{Reader: "door", Drafts: []journal.Draft{{Event: protocol.EventEnrolled, UserID: id, Edit: e}}}
	if _, err := s.j.Append(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

// holds is a user at the site in short: name and cards.
func (s *site) holds(id string) string {
	s.t.Helper()
	v, ok, err := s.j.User(id)
	if err != nil {
		s.t.Fatal(err)
	}
	if !ok || v.Removed {
		return "nobody"
	}
	out := []string{}
	for _, c := range v.User.Credentials {
		out = append(out, c.Number)
	}
	slices.Sort(out)
	return fmt.Sprint(v.User.FullName(), " ", out)
}

func (s *site) want(id, want string) {
	s.t.Helper()
	if got := s.holds(id); got != want {
		s.t.Errorf("user %s at %s is %q, want %q", id, s.name, got, want)
	}
}

// apart runs a test in which two sites, cut off, have each enrolled somebody of
// their own under user ID 7, and have come back.
func apart(t *testing.T, run func(t *testing.T, c *center, first, second *site, waiting roster.Conflict)) {
	t.Helper()
	world(t, 1, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		l.cut()
		lyon.enrollAs("7", "Anna", 71)
		oslo.enrollAs("7", "Ben", 72)
		l.mend()
		until(t, time.Minute, settled(c, lyon, oslo))
		waiting, err := c.r.Conflicts(t.Context())
		if err != nil || len(waiting) != 1 {
			t.Fatalf("%d conflicts wait, %v", len(waiting), err)
		}
		first, second := lyon, oslo
		if waiting[0].Site == "LYON" {
			first, second = oslo, lyon
		}
		run(t, c, first, second, waiting[0])
		until(t, time.Minute, settled(c, lyon, oslo))
	})
}

var who = map[string]string{"LYON": "Anna [71]", "OSLO": "Ben [72]"}

// Two people enrolled apart under one ID are never blended, and each stays on
// the readers of their own site, until a person has decided.
func TestSameIDAtTwoSites(t *testing.T) {
	t.Run("kept apart until somebody decides", func(t *testing.T) {
		apart(t, func(_ *testing.T, _ *center, first, second *site, _ roster.Conflict) {
			first.want("7", who[first.name])
			second.want("7", who[second.name])
		})
	})
	t.Run("renumbered", func(t *testing.T) {
		apart(t, func(t *testing.T, c *center, first, second *site, waiting roster.Conflict) {
			if _, err := c.r.Resolve(t.Context(), roster.Actor{Name: "test"}, waiting.User.GUID, roster.Resolution{Renumber: "70"}); err != nil {
				t.Fatal(err)
			}
			until(t, time.Minute, settled(c, first, second))
			for _, s := range []*site{first, second} {
				s.want("7", who[first.name])
				s.want("70", who[second.name])
			}
		})
	})
	t.Run("merged, being one person after all", func(t *testing.T) {
		apart(t, func(t *testing.T, c *center, first, second *site, waiting roster.Conflict) {
			if _, err := c.r.Resolve(t.Context(), roster.Actor{Name: "test"}, waiting.User.GUID, roster.Resolution{MergeInto: "7"}); err != nil {
				t.Fatal(err)
			}
			until(t, time.Minute, settled(c, first, second))
			for _, s := range []*site{first, second} {
				v, _, err := s.j.User("7")
				if err != nil || !v.User.Has(protocol.Card(71).Key()) || !v.User.Has(protocol.Card(72).Key()) {
					t.Errorf("at %s user 7 has not both cards: %q, %v", s.name, s.holds("7"), err)
				}
			}
		})
	})
}

// One card, enrolled apart for two people, opens for the first alone; nothing
// else of the second is lost, and the journal of their site says why.
func TestSameCardAtTwoSites(t *testing.T) {
	world(t, 1, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		until(t, 5*time.Second, settled(c, lyon, oslo))
		l.cut()
		lyon.enrollAs("4", "Anna", 99)
		oslo.enrollAs("5", "Ben", 99, 55)
		l.mend()
		until(t, time.Minute, settled(c, lyon, oslo))
		anna, ben, late := "Anna [99]", "Ben [55]", oslo
		if lyon.holds("4") != anna {
			anna, ben, late = "Anna []", "Ben [55 99]", lyon
		}
		for _, s := range []*site{lyon, oslo} {
			s.want("4", anna)
			s.want("5", ben)
		}
		if n := count(t, late.j, protocol.EventCredentialRefused); n != 1 {
			t.Errorf("%s tells of %d refused credentials, want 1", late.name, n)
		}
	})
}

// An edit of somebody whom the office has deleted meanwhile comes too late, and
// the site's journal says so.
func TestEditOfSomebodyDeletedMeanwhile(t *testing.T) {
	world(t, 1, func(t *testing.T, l *line, c *center, lyon, oslo *site) {
		lyon.enrollAs("4", "Anna", 41)
		until(t, time.Minute, settled(c, lyon, oslo))
		l.cut()
		if err := c.r.Delete(t.Context(), roster.Actor{Name: "test"}, "4"); err != nil {
			t.Fatal(err)
		}
		oslo.enrollAs("4", "", 42) // another card for her
		oslo.want("4", "Anna [41 42]")
		l.mend()
		until(t, time.Minute, settled(c, lyon, oslo))
		for _, s := range []*site{lyon, oslo} {
			s.want("4", "nobody")
		}
		if n := count(t, oslo.j, protocol.EventTooLate); n != 1 {
			t.Errorf("the journal tells %d times that the edit came too late, want 1", n)
		}
		oslo.enrollAs("4", "Cleo", 43) // knowing of the delete: somebody new
		until(t, time.Minute, settled(c, lyon, oslo))
		lyon.want("4", "Cleo [43]")
	})
}
