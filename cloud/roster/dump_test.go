package roster_test

import (
	"fmt"
	"reflect"
	"strings"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// dump is all that the store has, as text.
func (c *center) dump() string {
	c.t.Helper()
	var b strings.Builder
	must(c.t, c.store.View(c.t.Context(), func(v roster.View) error {
		m, _, err := v.Meta()
		must(c.t, err)
		rules := m.Rules
		m.Rules = protocol.Rules{}
		for _, at := range []*string{m.Recompute, m.Reindex} {
			if at != nil {
				fmt.Fprintln(&b, "left to compute from", *at)
			}
		}
		m.Recompute, m.Reindex, m.Recomputing = nil, nil, nil
		fmt.Fprintf(&b, "%+v %v %v %v\n", m, rules.Order, rules.Overrides, rules.Settle)
		var guids []string
		must(c.t, v.UsersFrom("", func(u *roster.UserRow) bool { guids = append(guids, u.GUID); return true }))
		for _, guid := range guids {
			row, _, err := v.User(guid)
			must(c.t, err)
			ids, err := v.IDsOf(guid)
			must(c.t, err)
			named, err := v.NamedBy(guid)
			must(c.t, err)
			g, _, err := v.Grave(guid)
			must(c.t, err)
			fmt.Fprintf(&b, "%+v %+v %+v %+v\n", row, ids, named, g)
		}
		must(c.t, v.Keys(0, func(k roster.KeyRow) bool { fmt.Fprintln(&b, k); return true }))
		must(c.t, v.Mails(0, func(m roster.MailRow) bool { fmt.Fprintln(&b, m); return true }))
		groups, err := v.Groups()
		must(c.t, err)
		sources, err := v.SourceRows()
		must(c.t, err)
		fmt.Fprintln(&b, groups)
		for _, s := range sources {
			fmt.Fprintf(&b, "%+v\n", s)
			must(c.t, v.Runs(s.Name, func(r roster.RunRow) bool { fmt.Fprintf(&b, "%+v\n", r); return true }))
			must(c.t, v.Named(s.Name, roster.Identity{}, func(u roster.SourceUser) bool { fmt.Fprintf(&b, "%+v\n", u); return true }))
		}
		return v.Events(roster.EventFilter{}, func(e *roster.Event) bool { fmt.Fprintf(&b, "%+v\n", *e); return true })
	}))
	return b.String()
}

// sameEffects holds a dry run against the run. GUIDs of new users are made up
// anew.
func sameEffects(t rapid.TB, dry, run []roster.Effect) {
	t.Helper()
	plain := func(in []roster.Effect) []roster.Effect {
		out := make([]roster.Effect, len(in))
		for i, e := range in {
			if e.GUID = ""; len(e.Values) == 0 {
				e.Values = nil
			}
			out[i] = e
		}
		return out
	}
	if d, r := plain(dry), plain(run); !reflect.DeepEqual(d, r) {
		t.Fatalf("dry run and run differ:\n%+v\n%+v", d, r)
	}
}
