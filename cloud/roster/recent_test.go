package roster_test

import (
	"reflect"
	"strconv"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// What a site is given must not depend on whether memory still has it: a roster
// that was only just opened has nothing in memory and asks the store.
func TestChangesFromMemoryAndStore(t *testing.T) {
	c := newCenter(t, "LYON", "OSLO")
	begun := c.Revision()
	for i := range 40 {
		id := strconv.Itoa(1 + i%15) // the later ones change users again
		_, err := c.Put(t.Context(), anna, id, roster.Patch{Set: map[protocol.Field]protocol.Value{
			protocol.FieldName: protocol.Text("Person " + strconv.Itoa(i)),
		}})
		must(t, err)
	}
	must(t, c.Delete(t.Context(), anna, "3"))
	fresh, err := roster.Open(t.Context(), c.store, roster.Options{})
	must(t, err)
	for after := begun; after <= c.Revision(); after++ {
		for _, room := range []int{1, 700, 1 << 20} {
			memory, err := c.Changes(t.Context(), "LYON", after, nil, room)
			must(t, err)
			store, err := fresh.Changes(t.Context(), "LYON", after, nil, room)
			must(t, err)
			for _, ch := range []*wire.Changes{&memory, &store} {
				for i := range ch.Users {
					ch.Users[i].Keys = append([]uint64{}, ch.Users[i].Keys...)
				}
			}
			if !reflect.DeepEqual(memory, store) {
				t.Fatalf("after revision %d with room for %d bytes: %d users up to %d from memory, %d up to %d from the store",
					after, room, len(memory.Users), memory.To, len(store.Users), store.To)
			}
		}
	}
}

// A site has only itself to hear as long as nobody else has changed anything.
func TestOwn(t *testing.T) {
	c := newCenter(t, "LYON", "OSLO")
	lyon, oslo := c.site("LYON"), c.site("OSLO")
	lyon.pull()
	oslo.pull()
	before := c.Revision()
	lyon.edit(protocol.Edit{UserID: "4", New: true, Given: []protocol.Credential{protocol.Card(4)}})
	if !c.Own("LYON", before) || c.Own("OSLO", before) {
		t.Error("an edit made at LYON is its own, and news at OSLO")
	}
	if c.Own("LYON", c.Revision()) {
		t.Error("nothing changed, so nothing is anybody's own")
	}
	oslo.pull()
	oslo.edit(protocol.Edit{UserID: "4", Given: []protocol.Credential{protocol.Card(5)}})
	if c.Own("LYON", before) || c.Own("OSLO", before) {
		t.Error("a user changed by both is news to both")
	}
	if !c.Own("OSLO", c.Revision()-1) {
		t.Error("OSLO held LYON's edit, so its own is no news to it")
	}
	before = c.Revision()
	_, err := c.Put(t.Context(), anna, "9", roster.Patch{})
	must(t, err)
	if c.Own("LYON", before) || c.Own("OSLO", before) {
		t.Error("what the office did is news everywhere")
	}
}
