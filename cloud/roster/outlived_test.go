package roster_test

import (
	"testing"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// A site that knows more than the roster proves that the roster is an old copy:
// revisions then count from a new one, since their numbers are given again.
func TestOutlivedRoster(t *testing.T) {
	for what, hello := range map[string]wire.Hello{
		"more was taken":          {First: 1, Last: 9, Taken: 8},
		"a later revision":        {First: 1, Last: 1, Taken: 1, Revision: 900},
		"an epoch taken and lost": {Epoch: "lost", First: 5, Last: 9, Taken: 7},
	} {
		t.Run(what, func(t *testing.T) {
			c := newCenter(t, "A", "B")
			a := c.site("A")
			a.edit(protocol.Edit{UserID: "1", New: true, Values: name("Anna")})
			before := c.ID()
			if hello.Epoch == "" {
				hello.Epoch = a.epoch
			}
			hello.Roster = before
			got, err := c.Hello(t.Context(), "A", hello)
			must(t, err)
			if got.Roster == before || got.Roster != c.ID() || got.NewEpoch {
				t.Fatalf("answer %+v, roster %s before, %s now", got, before, c.ID())
			}
			now := c.ID()
			_, err = c.Hello(t.Context(), "B", wire.Hello{Epoch: "b", First: 1, Roster: before, Revision: 900})
			must(t, err)
			if c.ID() != now {
				t.Fatal("the second site to notice made another roster")
			}
		})
	}
	t.Run("a site that is merely behind", func(t *testing.T) {
		c := newCenter(t, "A")
		a := c.site("A")
		a.edit(protocol.Edit{UserID: "1", New: true, Values: name("Anna")})
		before := c.ID()
		_, err := c.Hello(t.Context(), "A", wire.Hello{Epoch: a.epoch, First: 1, Last: 2, Taken: 0, Roster: before, Revision: 1})
		must(t, err)
		if c.ID() != before {
			t.Fatal("a new roster without a reason")
		}
	})
}
