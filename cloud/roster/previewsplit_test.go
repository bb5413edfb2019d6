package roster_test

import (
	"fmt"
	"slices"
	"testing"

	"doorsync/cloud/roster"
)

// TestPreviewSplit: what is told is what Split then does, and nothing changes before.
func TestPreviewSplit(t *testing.T) {
	c, _, _ := two(t)
	c.merge("1", "2")
	before, dump := c.Revision(), fmt.Sprint(c.everybody())
	got, err := c.PreviewSplit(t.Context(), "1", roster.SplitOptions{})
	must(t, err)
	if c.Revision() != before || fmt.Sprint(c.everybody()) != dump {
		t.Fatal("a preview changed something")
	}
	lines := map[roster.EffectKind][]string{}
	for _, e := range got {
		lines[e.Kind] = append(lines[e.Kind], e.UserID)
		for _, v := range e.Values {
			lines[e.Kind] = append(lines[e.Kind], fmt.Sprintf("%s:%s>%s", v.What, v.Old, v.New))
		}
	}
	for kind, want := range map[roster.EffectKind][]string{
		roster.EffectNew:     {"2", "first_name:>Bert", "phone:>22", "group it:>member"},
		roster.EffectUpdated: {"1", "phone:22>", "group it:member>"},
	} {
		for _, w := range want {
			if !slices.Contains(lines[kind], w) {
				t.Errorf("%s: %s is not in %q", kind, w, lines[kind])
			}
		}
	}
	if u := c.split("1"); u.ID != "2" {
		t.Errorf("split off %s", u.ID)
	}
	_, err = c.PreviewSplit(t.Context(), "1", roster.SplitOptions{})
	wantsWords(t, err, roster.ErrNotFound, "nobody was merged")
}
