package simulate

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"doorsync/agent/journal"
	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// check waits until everything has come to rest and holds what there is against
// what the rules say.
func (w *World) check() {
	if !w.settle(20 * time.Minute) {
		return
	}
	w.sync()
	if !w.settle(10 * time.Minute) {
		return
	}
	w.sync() // what a reader said in the first one may have changed another
	<-time.After(time.Minute)
	if !w.settle(10 * time.Minute) {
		return
	}
	agents, c, _ := w.running()
	if w.checkQuiet(agents, c); len(w.faults()) > 0 {
		return
	}
	w.order.Lock()
	defer w.order.Unlock()
	w.checkRoster(c)
	for _, a := range agents {
		w.checkSite(a)
	}
	w.checkOnce(agents, c)
	w.checkSecrets(agents, c)
}

// shown is a user for comparing and for people. Secrets are masked by a sum.
func shown(u protocol.User) string {
	var parts []string
	for _, f := range slices.Sorted(maps.Keys(u.Values)) {
		v := u.Values[f]
		if v.IsNull() || f == protocol.FieldUserID {
			continue
		}
		text := v.First + "," + v.Second
		if f.Secret() {
			text = fmt.Sprintf("#%x", newDice(0, text).n(1<<30))
		}
		parts = append(parts, fmt.Sprintf("%s=%s", f, text))
	}
	var creds []string
	for _, c := range u.Credentials {
		creds = append(creds, string(c.Kind)+" "+string(c.Key()[strings.LastIndexByte(string(c.Key()), '|')+1:]))
	}
	slices.Sort(creds)
	return fmt.Sprintf("%s: %s %v groups %v", u.ID, strings.Join(parts, " "), creds, u.Groups)
}

// checkRoster: the roster is what the rules say.
func (w *World) checkRoster(c *center) {
	have, want := map[string]string{}, map[string]string{}
	opens := map[protocol.CredentialKey]string{}
	for after := ""; ; {
		page, err := c.r.Users(context.Background(), roster.Query{After: after, Limit: 1000})
		if err != nil {
			w.fault("the roster cannot be read: %v", err)
			return
		}
		for _, u := range page.Users {
			w.put(have, "the roster", u.Conflict+"/"+u.ID, shown(u.User))
			for _, k := range u.User.Credentials {
				if by, ok := opens[k.Key()]; ok {
					w.fault("%s opens for users %s and %s", k, by, u.ID)
				}
				opens[k.Key()] = u.ID
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	for _, p := range w.model.people {
		if p.live() {
			u := w.model.user(p)
			w.put(want, "the model", p.conflict+"/"+u.ID, shown(u))
		}
	}
	w.compare("the roster", have, want)
}

func (w *World) put(to map[string]string, where, key, user string) {
	if _, ok := to[key]; ok {
		w.fault("%s has two users %s", where, key)
	}
	to[key] = user
}

// compare tells the differences between what is and what should be.
func (w *World) compare(where string, have, want map[string]string) {
	for _, key := range sortedKeys(want) {
		if got, ok := have[key]; !ok {
			w.fault("%s lacks %s", where, want[key])
		} else if got != want[key] {
			w.fault("%s has %s; must be %s", where, got, want[key])
		}
	}
	for _, key := range sortedKeys(have) {
		if _, ok := want[key]; !ok {
			w.fault("%s has %s, which it must not", where, have[key])
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// checkSite: a site holds exactly whom it should, its readers hold them within
// their ability, and its chain verifies.
func (w *World) checkSite(a *agent) {
	have, want := map[string]string{}, map[string]string{}
	err := a.j.Users(context.Background(), func(v journal.View) error {
		if v.Pending {
			w.fault("%s: the edit of user %s is still laid over what the center says", a.who, v.User.ID)
		}
		if !v.Removed {
			w.put(have, a.who, v.User.ID, shown(v.User))
		}
		return nil
	})
	if err != nil {
		w.fault("%s: %v", a.who, err)
	}
	users := map[string]protocol.User{}
	for who, p := range w.model.people {
		if w.model.sees(a.s.name, who) {
			u := w.model.user(p)
			users[u.ID] = u
			w.put(want, "the model of "+a.who, u.ID, shown(u))
		}
	}
	w.compare(a.who, have, want)
	for _, r := range a.s.readers {
		if r.kind.controller {
			w.checkController(a, r, users)
		} else {
			w.checkReader(a, r, users)
		}
	}
	report, err := a.j.Verify(context.Background(), nil)
	if err != nil || len(report.Faults) > 0 {
		w.fault("%s: the chain of its journal: %v %v", a.who, report.Faults, err)
	}
}

// checkReader: what must be there is, what may be there is as it should be, and
// nothing else is.
func (w *World) checkReader(a *agent, r *reader, users map[string]protocol.User) {
	where, rows := a.who+"/"+r.name, r.rows()
	mode := w.model.sites[a.s.name].mode
	opens := map[protocol.CredentialKey]string{}
	full := len(rows) >= r.kind.room
	for _, id := range sortedKeys(users) {
		u := users[id]
		want, _ := r.kind.project(r.kind.inactiveOutside(u))
		reached := mode != wire.ModeGroups || slices.ContainsFunc(u.Groups, func(g string) bool { return slices.Contains(r.groups, g) })
		row, ok := rows[id]
		delete(rows, id)
		switch {
		case !ok && (!reached || full):
		case !ok:
			w.fault("%s lacks user %s", where, shown(u))
		case !reached && (len(u.Groups) > 0 || !r.homes[id] && !a.s.blurred):
			w.fault("%s holds user %s, whom no group lets in there", where, id)
		case !row.Equal(want[0]):
			w.fault("%s has %s; must be %s", where, shown(row.User), shown(want[0].User))
		}
		for _, c := range row.User.Credentials {
			if by, ok := opens[c.Key()]; ok {
				w.fault("%s: %s opens for users %s and %s", where, c, by, id)
			}
			opens[c.Key()] = id
		}
	}
	for _, key := range sortedKeys(rows) {
		if !r.homes[key] || mode != wire.ModeAll {
			w.fault("%s holds %s, whom nobody knows", where, shown(rows[key].User))
		}
	}
}

// inactiveOutside is a user as a reader without a calendar is to hold them now.
func (k kind) inactiveOutside(u protocol.User) protocol.User {
	v, err := protocol.ParseValidity(u.Value(protocol.FieldValidity))
	if err != nil || k.dates || v.Includes(time.Now()) {
		return u
	}
	u = u.Clone()
	u.Values[protocol.FieldState] = protocol.Text(protocol.StateInactive)
	return u
}

// checkOnce: every entry that was acknowledged is at the center once.
func (w *World) checkOnce(agents []*agent, c *center) {
	times, heard := map[protocol.EntryID]int{}, map[protocol.EntryID]roster.Event{}
	for after := uint64(0); ; {
		page, err := c.r.Events(context.Background(), roster.EventQuery{After: after, Limit: 1000, Oldest: true})
		if err != nil {
			w.fault("the events cannot be read: %v", err)
			return
		}
		for _, e := range page {
			if after = e.Seq; e.Site != "" {
				times[e.ID]++
				heard[e.ID] = e
			}
		}
		if len(page) < 1000 {
			break
		}
	}
	for id, n := range times {
		if n != 1 {
			w.fault("entry %d of %s (%s user %s) is at the center %d times", heard[id].Number, heard[id].Site, heard[id].Event, heard[id].UserID, n)
		}
		if !w.model.tooks[id] {
			w.fault("entry %d of %s (%s user %s) is at the center, which has not taken it", heard[id].Number, heard[id].Site, heard[id].Event, heard[id].UserID)
		}
	}
	for id := range w.model.tooks {
		if times[id] == 0 {
			w.fault("an entry that the center took is not there any more")
		}
	}
	for _, a := range agents {
		for id, number := range a.acked {
			if times[id] == 0 && len(w.faults()) < 20 {
				w.fault("entry %d of %s was acknowledged and is not at the center", number, a.who)
			}
		}
	}
}

// checkSecrets: no PIN and no template in any log or journal.
func (w *World) checkSecrets(agents []*agent, c *center) {
	var all strings.Builder
	w.mu.Lock()
	w.story.mu.Lock()
	for _, l := range w.logged {
		all.WriteString(l)
	}
	w.story.mu.Unlock()
	w.mu.Unlock()
	for _, a := range agents {
		for e, err := range a.j.Entries(journal.Query{}) {
			if err != nil {
				w.fault("%s: %v", a.who, err)
				break
			}
			fmt.Fprintf(&all, "%s %v\n", e.Detail, e.Edit)
		}
	}
	events, err := c.r.Events(context.Background(), roster.EventQuery{Limit: 100_000})
	if err != nil {
		w.fault("the events cannot be read: %v", err)
	}
	for _, e := range events {
		fmt.Fprintf(&all, "%s\n", e.Detail)
	}
	text := all.String()
	for _, a := range w.sc.Acts {
		var secrets []string
		switch a.Do {
		case "pin", "office pin":
			secrets = []string{a.Text}
		case "finger":
			t := finger(w.sc.Seed, a.Text)
			secrets = []string{string(t), hex.EncodeToString(t), base64.StdEncoding.EncodeToString(t), base64.RawURLEncoding.EncodeToString(t), fmt.Sprint(t[:8])[1:20]}
		}
		for _, s := range secrets {
			if strings.Contains(text, s) {
				w.fault("a secret of act %q stands in a log", a.Do)
			}
		}
	}
}
