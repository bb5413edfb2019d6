package chain

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/agent/journal"
	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// clock is a wall clock that somebody sets. What a program measures, rather
// than reads, goes on undisturbed, as it does on a machine.
type clock struct{ ahead atomic.Int64 }

// Now is what the clock shows.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// clocks are how far ahead the clocks of LYON, OSLO and the center are set in
// each step of a story; after the last entry they stay as they are.
type clocks [][3]time.Duration

// story is a day on which the clocks are set again and again.
type story struct {
	t          *testing.T
	l          *line
	c          *center
	lyon, oslo *site
	clocks     clocks
	step       int
}

var ada = roster.Actor{Name: "Ada"}

// next sets the clocks, and lets a while pass.
func (s *story) next() {
	if s.step < len(s.clocks) {
		for i, k := range []*clock{s.lyon.clock, s.oslo.clock, s.c.clock} {
			k.set(s.clocks[s.step][i])
		}
	}
	s.step++
	<-time.After(20 * time.Second)
}

// heard waits until all know all, and sets the clocks.
func (s *story) heard(sites ...*site) {
	s.t.Helper()
	until(s.t, time.Minute, settled(s.c, sites...))
	s.next()
}

func (s *story) restart(site *site) {
	k := site.clock
	site.close()
	s.next()
	*site = *startSiteAt(s.t, site.name, site.path, s.l.connect(site.name), nil, k)
}

func (s *story) restartCenter() {
	s.l.setCenter(nil)
	s.c.close()
	s.next()
	*s.c = *startCenterAt(s.t, s.c.path, s.l, s.c.clock)
	s.l.setCenter(s.c.x)
	s.c.x.Connected()
}

// edit is an edit at a reader: values in the order field, value, field, value.
func (s *site) edit(id string, cards []uint64, values ...string) {
	s.t.Helper()
	e := &protocol.Edit{UserID: id, Values: map[protocol.Field]protocol.Value{}}
	for i := 0; i < len(values); i += 2 {
		e.Values[protocol.Field(values[i])] = protocol.Text(values[i+1])
	}
	for _, n := range cards {
		e.Given = append(e.Given, protocol.Card(n))
	}
	b := journal.Batch{Reader: "door", Drafts: []journal.Draft{{Event: protocol.EventUpdatedReader, UserID: id, Edit: e}}}
	if _, err := s.j.Append(s.t.Context(), b); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) put(id string, p roster.Patch, values ...string) {
	s.t.Helper()
	p.Set = map[protocol.Field]protocol.Value{}
	for i := 0; i < len(values); i += 2 {
		p.Set[protocol.Field(values[i])] = protocol.Text(values[i+1])
	}
	if _, err := s.c.r.Put(s.t.Context(), ada, id, p); err != nil {
		s.t.Fatal(err)
	}
}

func (s *story) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// together is the part in which everybody is heard before the next one speaks:
// each edit is made knowing of the one before.
func (s *story) together() {
	all := []*site{s.lyon, s.oslo}
	s.lyon.edit("1", []uint64{11}, "name", "Anna")
	s.lyon.edit("2", []uint64{21}, "name", "Ben")
	s.heard(all...)
	s.oslo.edit("1", []uint64{12}, "name", "Anna of Oslo", "pin", "1234")
	s.heard(all...)
	s.lyon.edit("1", []uint64{13}, "name", "Anna again", "pin", "5678")
	s.heard(all...)
	s.put("2", roster.Patch{Join: []string{"staff"}}, "name", "Benjamin", "phone", "1")
	s.heard(all...)
	s.oslo.edit("2", nil, "name", "Benny", "pin", "2222")
	s.heard(all...)
	s.restart(s.oslo)
	s.oslo.edit("2", nil, "pin", "2223")
	s.heard(all...)
	s.put("2", roster.Patch{Withdraw: []protocol.Field{protocol.FieldName}}, "phone", "2")
	s.heard(all...)
	s.restartCenter()
	s.put("2", roster.Patch{}, "phone", "3", "email", "b@example.com")
	s.heard(all...)
	s.oslo.edit("1", nil, "name", "Anna at last", "pin", "9999")
	s.heard(all...)
}

// apart is the part in which nobody hears of anybody, and each knows what they
// did themselves.
func (s *story) apart() {
	s.l.cut()
	s.lyon.edit("1", []uint64{14}, "department", "Lyon")
	s.lyon.edit("30", []uint64{301, 99}, "name", "Cleo")
	s.oslo.edit("2", []uint64{24}, "title", "Oslo")
	s.oslo.edit("30", []uint64{302}, "name", "Dora")
	s.put("40", roster.Patch{Give: []protocol.Credential{protocol.Card(401)}}, "name", "Emil")
	s.next()
	s.lyon.edit("1", []uint64{15}, "department", "Lyon south", "title", "first")
	s.oslo.edit("50", []uint64{501, 99}, "name", "Fritz")
	s.put("40", roster.Patch{}, "name", "Emil corrected")
	s.must(s.c.r.Revoke(s.t.Context(), ada, protocol.Card(24).Key()))
	s.next()
	s.restart(s.lyon)
	s.lyon.edit("1", nil, "title", "second")
	s.lyon.edit("31", []uint64{311}, "name", "Gerd")
	s.lyon.edit("31", nil, "name", "Gerda")
	s.next()
	s.lyon.edit("31", nil, "name", "Gerda Maria")
	s.oslo.edit("2", nil, "title", "Oslo north")
	s.restartCenter()
	s.put("40", roster.Patch{}, "name", "Emil corrected twice")
	s.next()
	s.l.mendFor("LYON") // what is not decided by a clock is decided by who comes first
	s.heard(s.lyon)
	s.l.mend()
	s.heard(s.lyon, s.oslo)
}

// after is the part in which people are deleted and come back.
func (s *story) after() {
	all := []*site{s.lyon, s.oslo}
	s.lyon.edit("60", []uint64{601}, "name", "Hans")
	s.heard(all...)
	s.l.cut()
	s.must(s.c.r.Delete(s.t.Context(), ada, "60"))
	s.oslo.edit("60", []uint64{602})
	s.next()
	s.l.mend()
	s.heard(all...)
	s.lyon.edit("60", []uint64{603}, "name", "Ilse")
	s.heard(all...)
	s.oslo.edit("60", []uint64{604}, "name", "Ilse of Oslo")
	s.heard(all...)
	_, err := s.c.r.Put(s.t.Context(), ada, "31", roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text("310")}})
	s.must(err)
	s.lyon.edit("31", nil, "phone", "31")
	s.heard(all...)
	s.must(s.c.r.Allow(s.t.Context(), ada, protocol.Card(24).Key()))
	s.heard(all...)
}

// tell runs the story and returns what it came to.
func tell(t *testing.T, settle protocol.Settle, k clocks) (outcome string) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &story{t: t, l: newLine(1), clocks: k}
		s.c = startCenter(t, file(dir, "roster.db"), s.l, "LYON", "OSLO")
		s.l.setCenter(s.c.x)
		rules := s.c.r.Rules()
		rules.Settle = settle
		s.must(s.c.r.SetOrder(t.Context(), ada, rules))
		s.lyon = startSite(t, "LYON", file(dir, "lyon.db"), s.l.connect("LYON"), nil)
		s.oslo = startSite(t, "OSLO", file(dir, "oslo.db"), s.l.connect("OSLO"), nil)
		s.together()
		s.apart()
		s.after()
		outcome = s.outcome()
		s.oslo.close()
		s.lyon.close()
		s.c.close()
	})
	return outcome
}

// outcome is who is known where, and what people were told of it.
func (s *story) outcome() string {
	var out []string
	page, err := s.c.r.Users(s.t.Context(), roster.Query{Limit: 100})
	s.must(err)
	for _, u := range page.Users {
		out = append(out, fmt.Sprintf("center: %s %s %v", u.Conflict, shown(u.User), u.Aliases))
	}
	for _, site := range []*site{s.lyon, s.oslo} {
		var known []string
		s.must(site.j.Users(s.t.Context(), func(v journal.View) error {
			if !v.Removed {
				known = append(known, fmt.Sprintf("%s: %s %v", site.name, shown(v.User), v.IDs))
			}
			return nil
		}))
		slices.Sort(known)
		out = append(out, known...)
		for _, e := range []protocol.Event{
			protocol.EventTooLate, protocol.EventConflict, protocol.EventValueNotKept, protocol.EventCredentialRefused, protocol.EventNewEpoch, protocol.EventMended,
		} {
			out = append(out, fmt.Sprintf("%s: %s %d times", site.name, e, count(s.t, site.j, e)))
		}
		report, err := site.j.Verify(s.t.Context(), nil)
		s.must(err)
		out = append(out, fmt.Sprintf("%s: %d entries", site.name, report.Last-moved(s.t, site.j)))
	}
	return strings.Join(out, "\n")
}

// moved counts the entries that tell of the clock alone.
func moved(t *testing.T, j *journal.Journal) uint64 {
	return uint64(count(t, j, protocol.EventStampMoved))
}

func shown(u protocol.User) string {
	parts := []string{u.ID}
	for f, v := range u.Values {
		parts = append(parts, string(f)+"="+v.First)
	}
	slices.Sort(parts[1:])
	for _, c := range u.Credentials {
		parts = append(parts, "card "+c.Number)
	}
	return strings.Join(append(parts, u.Groups...), ", ")
}

// wild sets every clock anew in every step, by up to so much both ways.
func wild(seed uint64, most time.Duration) clocks {
	chance := rand.New(rand.NewPCG(seed, 5))
	out := make(clocks, 60)
	for i := range out {
		for k := range out[i] {
			out[i][k] = time.Duration(chance.Int64N(int64(2*most))) - most
		}
	}
	return out
}

// one sets one clock alone, forth and back in turn.
func one(which int, by time.Duration) clocks {
	out := make(clocks, 60)
	for i := range out {
		out[i][which] = by * time.Duration(i%3-1)
	}
	return out
}

// TestClocksThatJump: the same story, with clocks that jump by hours and days
// between any two edits and while a program is down, comes to the same.
func TestClocksThatJump(t *testing.T) {
	cases := map[string]clocks{
		"a site, by hours":          one(0, 5*time.Hour),
		"the center, by hours":      one(2, 5*time.Hour),
		"all, by days":              wild(1, 40*24*time.Hour),
		"all, by less than an hour": wild(2, 20*time.Minute),
	}
	for _, settle := range []protocol.Settle{protocol.SettleFirst, protocol.SettleLatest} {
		t.Run(string(settle), func(t *testing.T) {
			want := tell(t, settle, nil)
			t.Logf("without a jump:\n%s", want)
			for name, k := range cases {
				t.Run(name, func(t *testing.T) {
					if got := tell(t, settle, k); got != want {
						t.Errorf("it came to something else:\n%s", difference(want, got))
					}
				})
			}
		})
	}
}

func difference(want, got string) string {
	var out strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, line := range w {
		if !slices.Contains(g, line) {
			fmt.Fprintf(&out, "- %s\n", line)
		}
	}
	for _, line := range g {
		if !slices.Contains(w, line) {
			fmt.Fprintf(&out, "+ %s\n", line)
		}
	}
	return out.String()
}
