package roster_test

import (
	"slices"
	"testing"

	"doorsync/protocol"
)

// Whatever way user IDs came to a user, nothing is given to sites anew because
// the center was started anew.
func TestAliasesKeepTheirOrder(t *testing.T) {
	merge := func(t *testing.T, c *center, other string) {
		_, err := c.Merge(t.Context(), anna, "1", other)
		must(t, err)
	}
	for name, how := range map[string]func(*testing.T, *center){
		"the younger is merged first": func(t *testing.T, c *center) {
			merge(t, c, "3")
			merge(t, c, "2")
		},
		"the older is merged first": func(t *testing.T, c *center) {
			merge(t, c, "2")
			merge(t, c, "3")
		},
		"deleted and restored": func(t *testing.T, c *center) {
			merge(t, c, "3")
			merge(t, c, "2")
			must(t, c.Delete(t.Context(), anna, "1"))
			_, err := c.Restore(t.Context(), anna, "1")
			must(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCenter(t, "A")
			a := c.site("A")
			for _, id := range []string{"1", "2", "3"} {
				a.edit(protocol.Edit{UserID: id, New: true})
			}
			how(t, c)
			was, revision := c.user("1").Aliases, c.Revision()
			c.open()
			must(t, c.SetOrder(t.Context(), anna, c.Rules()))
			if now := c.user("1"); now.Revision > revision || !slices.Equal(now.Aliases, was) || !slices.Equal(was, []string{"2", "3"}) {
				t.Fatalf("aliases: %v as of %d, then %v as of %d", was, revision, now.Aliases, now.Revision)
			}
		})
	}
}
