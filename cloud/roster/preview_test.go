package roster_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

var readersFirst = protocol.Rules{Order: []protocol.Source{"readers", "office"}, Settle: protocol.SettleLatest}

func (c *center) previewOrder(rules protocol.Rules) (out []roster.Effect, counts roster.Counts) {
	c.t.Helper()
	counts, err := c.PreviewOrder(c.t.Context(), rules, func(e roster.Effect) { out = append(out, e) })
	must(c.t, err)
	return out, counts
}

func TestPreviewOrder(t *testing.T) {
	c := newCenter(t, "A")
	a := c.site("A")
	for _, id := range []string{"1", "2", "3"} {
		c.put(id, roster.Patch{Set: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text("Anna"), protocol.FieldPIN: protocol.Text("1111"),
		}})
	}
	a.pull()
	a.edit(protocol.Edit{UserID: "1", Values: map[protocol.Field]protocol.Value{protocol.FieldFirstName: protocol.Text("Bert"), protocol.FieldPIN: protocol.Text("2222")}})
	a.edit(protocol.Edit{UserID: "2", Values: map[protocol.Field]protocol.Value{protocol.FieldFirstName: protocol.Text("Anna")}})
	c.put("4", roster.Patch{Set: name("Dora")})
	must(t, c.Delete(t.Context(), anna, "4"))
	before := c.Revision()
	got, counts := c.previewOrder(readersFirst)
	want := []roster.Effect{{
		Kind: roster.EffectUpdated, UserID: "1", GUID: c.user("1").GUID, Name: "Anna",
		Values: []roster.ValueChange{
			{What: "first_name", Old: "Anna", New: "Bert", Source: "readers"}, {What: "pin", Old: "****", New: "****", Source: "readers"},
		},
	}}
	if !reflect.DeepEqual(got, want) || counts != (roster.Counts{Updated: 1, Unchanged: 2}) {
		t.Fatalf("preview: %+v %+v", got, counts)
	}
	if c.Revision() != before || c.Rules().Order[0] != protocol.SourceOffice {
		t.Fatal("a preview changed something")
	}
	if got, _ := c.previewOrder(c.Rules()); len(got) > 0 {
		t.Fatalf("the order in force changes %+v", got)
	}
	_, err := c.PreviewOrder(t.Context(), protocol.Rules{Order: []protocol.Source{"office"}, Settle: protocol.SettleFirst}, func(roster.Effect) {})
	wantsWords(t, err, roster.ErrInvalid, "readers")
}

// The preview tells what carrying the order out comes to, for everybody.
func TestPreviewOrderIsWhatHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w, end := newWorld(t)
		defer end()
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.IntRange(0, 2).Draw(rt, "step") {
			case 0:
				w.edit(rt)
			case 1:
				w.deliver(rt)
			default:
				w.office(rt)
			}
		}
		effects, counts := w.previewOrder(readersFirst)
		before := w.everybody()
		must(t, w.SetOrder(t.Context(), anna, readersFirst))
		told := map[string][]roster.ValueChange{}
		for _, e := range effects {
			told[e.GUID] = e.Values
		}
		after := w.everybody()
		for guid, was := range before {
			if got := changed(was.Record, after[guid].Record); !slices.Equal(got, told[guid]) {
				rt.Fatalf("user %s: told %+v, came to %+v", was.ID, told[guid], got)
			}
		}
		if counts.Updated+counts.Unchanged != len(before) || counts.Updated != len(told) {
			rt.Fatalf("counts %+v of %d users", counts, len(before))
		}
	})
}

func (c *center) everybody() map[string]roster.UserView {
	page, err := c.Users(c.t.Context(), roster.Query{})
	must(c.t, err)
	out := map[string]roster.UserView{}
	for _, u := range page.Users {
		out[u.GUID] = u
	}
	return out
}

func changed(was, now protocol.Record) (out []roster.ValueChange) {
	for _, f := range protocol.Fields() {
		if was.Values[f].Value != now.Values[f].Value {
			out = append(out, roster.ValueChange{
				What: string(f), Old: f.Show(was.Values[f].Value), New: f.Show(now.Values[f].Value), Source: now.Values[f].Source,
			})
		}
	}
	return out
}

func TestPreviewMerge(t *testing.T) {
	c, _, _ := two(t)
	c.put("2", roster.Patch{
		Set:  map[protocol.Field]protocol.Value{protocol.FieldEmail: protocol.Text("bert@example.org"), protocol.FieldPIN: protocol.Text("7777")},
		Give: []protocol.Credential{protocol.Card(7)}, Join: []string{"lab"},
	})
	c.knownTo("2", "hr")
	before, dump := c.Revision(), fmt.Sprint(c.everybody())
	for _, order := range [][2]string{{"1", "2"}, {"2", "1"}} {
		got, err := c.PreviewMerge(t.Context(), order[0], order[1])
		must(t, err)
		lines := func(e roster.Effect) string {
			var out []string
			for _, v := range e.Values {
				out = append(out, fmt.Sprintf("%s:%s>%s/%s", v.What, v.Old, v.New, v.HeldBy))
			}
			return strings.Join(out, " ")
		}
		if len(got) != 2 || got[0].UserID != "1" || got[1].UserID != "2" {
			t.Fatalf("effects: %+v", got)
		}
		for _, want := range []string{"phone:>22/", "pin:>****/", "group it:>member/", "email:anna@example.org>bert@example.org/"} {
			if !strings.Contains(lines(got[0]), want) {
				t.Errorf("%s is not in %s", want, lines(got[0]))
			}
		}
		if strings.Contains(lines(got[0]), "lab") || !strings.Contains(got[1].Text, "user 1") {
			t.Errorf("told: %s, %s", lines(got[0]), got[1].Text)
		}
		for _, want := range []string{"user_id:1>2/office", "first_name:Anna>Bert/office", "group lab:member>/"} {
			if !strings.Contains(lines(got[1]), want) {
				t.Errorf("%s is not in %s", want, lines(got[1]))
			}
		}
	}
	if c.Revision() != before || fmt.Sprint(c.everybody()) != dump {
		t.Fatal("a preview changed something")
	}
	_, err := c.PreviewMerge(t.Context(), "1", "1")
	wantsWords(t, err, roster.ErrInvalid, "itself")
}
