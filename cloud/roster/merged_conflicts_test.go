package roster_test

import (
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Two who are in conflict at one site turn out to be one person.
func TestConflictsMerged(t *testing.T) {
	c := newCenter(t, "A", "B")
	a, b := c.site("A"), c.site("B")
	enroll := func(id, who string, card uint64) protocol.Edit {
		return protocol.Edit{UserID: id, New: true, Values: name(who), Given: []protocol.Credential{protocol.Card(card)}}
	}
	a.edit(enroll("1", "Anna", 1))
	a.edit(enroll("2", "Zoe", 2))
	b.edit(enroll("1", "Bert", 3))
	b.edit(enroll("2", "Bert", 4))
	list, err := c.Conflicts(t.Context())
	must(t, err)
	u, err := c.Resolve(t.Context(), anna, list[0].User.GUID, roster.Resolution{MergeInto: list[1].User.GUID})
	must(t, err)
	_, err = c.Resolve(t.Context(), anna, u.GUID, roster.Resolution{Renumber: "7"})
	must(t, err)
	if list, err := c.Conflicts(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("still in conflict: %+v %v", list, err)
	}
	for _, s := range []*site{a, b} {
		s.pull()
		c.holdAgainstRules(t, s)
		wantName(t, s.users()["1"], "Anna")
		wantName(t, s.users()["2"], "Zoe")
		wantName(t, s.users()["7"], "Bert")
	}
}
