package simulate

import (
	"fmt"
	"maps"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// What the office can do, as the rules say it.

// find is who is found by a user ID: -1 for nobody, or nobody any more.
func (m *model) find(id string) int {
	row, ok := m.ids[id]
	if !ok {
		return -1
	}
	if who := m.follow(row.who); m.people[who].live() {
		return who
	}
	return -1
}

// put changes somebody, or begins somebody.
func (m *model) put(id string, p roster.Patch, at span, now time.Time) error {
	who := m.find(id)
	if to, ok := p.Set[protocol.FieldUserID]; ok && who < 0 && to.First != id {
		return errNobody
	}
	for _, c := range p.Give {
		k := c.Key()
		if _, revoked := m.gone[k]; revoked {
			return fmt.Errorf("%w: %s is revoked", errRule, k)
		}
		if h := m.holder(k); h >= 0 && h != who {
			return fmt.Errorf("%w: %s belongs to somebody else", errRule, k)
		}
	}
	if who < 0 {
		if len(p.TakeBack) > 0 {
			return errRule
		}
		who = m.enroll("", "", id, at)
		m.people[who].say(protocol.SourceOffice, protocol.FieldUserID, saying{value: protocol.Text(id), at: m.stamp(now)})
	}
	return m.patch(who, p, at, now)
}

func (m *model) patch(who int, p roster.Patch, at span, now time.Time) error {
	one, st := m.people[who], m.stamp(now)
	for f, v := range p.Set {
		if f == protocol.FieldUserID {
			if err := m.rename(who, v.First, at); err != nil {
				return err
			}
		}
		one.say(protocol.SourceOffice, f, saying{value: v, at: st})
	}
	for _, f := range p.Withdraw {
		one.say(protocol.SourceOffice, f, saying{at: st})
	}
	for _, f := range p.Blank {
		one.say(protocol.SourceOffice, f, saying{blank: true, at: st})
	}
	for _, c := range p.Give {
		one.give(protocol.SourceOffice, c, protocol.Given, st)
	}
	for _, k := range p.TakeBack {
		if one.creds[k][protocol.SourceOffice].state != protocol.Given {
			return errRule
		}
		one.give(protocol.SourceOffice, one.things[k], protocol.Withdrawn, st)
	}
	for _, g := range p.Join {
		one.join(protocol.SourceOffice, g, protocol.Given, st)
	}
	for _, g := range p.Leave {
		state := protocol.Withdrawn
		if one.groups[g][protocol.SourceReaders].state == protocol.Given {
			state = protocol.Revoked
		}
		one.join(protocol.SourceOffice, g, state, st)
	}
	return nil
}

// rename gives somebody another ID, if nobody has it.
func (m *model) rename(who int, id string, at span) error {
	if other := m.find(id); other >= 0 {
		if other == who && m.people[who].conflict == "" {
			return nil
		}
		if other != who {
			return fmt.Errorf("%w: the ID is somebody else's", errRule)
		}
	}
	m.settle(who, at)
	m.ids[id] = idOf{who: who, since: at}
	return nil
}

// settle ends somebody's conflict.
func (m *model) settle(who int, at span) {
	m.people[who].conflict = ""
	for key, l := range m.local {
		if l.who == who && l.open {
			m.local[key] = localOf{who: who, until: at}
		}
	}
}

// remove deletes somebody everywhere.
func (m *model) remove(id string, at span) error {
	who := m.find(id)
	if who < 0 {
		return errNobody
	}
	p := m.people[who]
	old := p.contributed.clone()
	p.grave, p.contributed, p.removed, p.since = &old, nothing(), true, at
	m.settle(who, at)
	return nil
}

// restore brings somebody back as they were.
func (m *model) restore(id string, at span, now time.Time) error {
	row, ok := m.ids[id]
	if !ok {
		return errNobody
	}
	who := m.follow(row.who)
	p := m.people[who]
	if p.live() || p.grave == nil {
		return fmt.Errorf("%w: not deleted", errRule)
	}
	old := person{contributed: p.grave.clone(), into: -1}
	back, _ := m.value(&old, protocol.FieldUserID)
	if other := m.find(back.value.First); other >= 0 && other != who {
		return fmt.Errorf("%w: the ID is somebody else's", errRule)
	}
	st := m.stamp(now)
	for k, words := range old.creds {
		_, revoked := m.gone[k]
		holder := m.holder(k)
		for src, w := range words {
			switch {
			case w.state == protocol.Given && holder >= 0 && holder != who:
				old.give(src, old.things[k], protocol.Refused, st)
			case w.state == protocol.Revoked && !revoked:
				old.give(src, old.things[k], protocol.Given, st)
			}
		}
	}
	p.contributed, p.grave, p.removed, p.conflict = old.contributed, nil, false, ""
	for id, row := range m.ids {
		if row.who == who {
			m.ids[id] = idOf{who: who, since: at}
		}
	}
	m.ids[back.value.First] = idOf{who: who, since: at}
	return nil
}

// merge makes one of two; the older one stays.
func (m *model) merge(one, other string, at span, now time.Time) error {
	a, b := m.find(one), m.find(other)
	if a < 0 || b < 0 {
		return errNobody
	}
	return m.unite(a, b, at, now)
}

func (m *model) unite(a, b int, at span, now time.Time) error {
	if a == b {
		return errRule
	}
	stays, goes := min(a, b), max(a, b) // people stand in the order in which they came
	s, g := m.people[stays], m.people[goes]
	if s.conflict != "" && g.conflict != "" && s.conflict != g.conflict {
		return errRule
	}
	id, _ := m.value(s, protocol.FieldUserID)
	if s.conflict != "" && g.conflict == "" {
		id, _ = m.value(g, protocol.FieldUserID)
	}
	both := s.conflict != "" && g.conflict != ""
	reclaim(s, g)
	reclaim(g, s)
	s.absorb(g)
	g.contributed, g.removed, g.since, g.into = nothing(), true, at, stays
	for key, row := range m.ids {
		if row.who == goes {
			m.ids[key] = idOf{stays, row.since, row.by}
		}
	}
	if !both {
		for key, l := range m.local {
			if l.who == goes {
				m.local[key] = localOf{stays, l.open, l.until}
			}
		}
		m.settle(stays, at)
	}
	if now2, _ := m.value(s, protocol.FieldUserID); s.conflict == "" && m.ids[now2.value.First].who != stays {
		s.say(protocol.SourceOffice, protocol.FieldUserID, saying{value: id.value, at: m.stamp(now)})
	}
	return nil
}

// reclaim gives somebody what was refused because the other had it.
func reclaim(p, other *person) {
	for k, words := range p.creds {
		for src, w := range words {
			if w.state == protocol.Refused && other.has(k) {
				words[src] = word{protocol.Given, w.at}
			}
		}
	}
}

// absorb adds all that was said about somebody else.
func (p *person) absorb(o *person) {
	for f, by := range o.latest {
		for src, s := range by {
			p.say(src, f, s)
		}
	}
	for f, by := range o.first {
		for src, s := range by {
			p.say(src, f, s)
		}
	}
	for k, words := range o.creds {
		for src, w := range words {
			p.give(src, o.things[k], w.state, w.at)
		}
	}
	for g, words := range o.groups {
		for src, w := range words {
			p.join(src, g, w.state, w.at)
		}
	}
}

// revoke makes a credential open nothing.
func (m *model) revoke(c protocol.Credential, now time.Time) error {
	k := c.Key()
	if _, ok := m.gone[k]; ok {
		return nil
	}
	st, who := m.stamp(now), m.holder(k)
	r := revocation{who: who}
	if who >= 0 {
		p := m.people[who]
		r.before = p.creds[k][protocol.SourceOffice].state
		p.give(protocol.SourceOffice, p.things[k], protocol.Revoked, st)
	}
	m.gone[k] = r
	return nil
}

// allow ends a revocation.
func (m *model) allow(c protocol.Credential, now time.Time) error {
	k := c.Key()
	r, ok := m.gone[k]
	if !ok {
		return errNobody
	}
	delete(m.gone, k)
	if r.who < 0 {
		return nil
	}
	p := m.people[m.follow(r.who)]
	if !p.live() {
		return nil
	}
	state := protocol.Withdrawn
	if r.before == protocol.Given {
		state = protocol.Given
	}
	if _, ok := p.creds[k][protocol.SourceOffice]; ok {
		p.give(protocol.SourceOffice, p.things[k], state, m.stamp(now))
	} else {
		m.stamp(now)
	}
	return nil
}

// scope sets a site's mode.
func (m *model) scope(site, mode string) error {
	s := m.sites[site]
	s.mode = mode
	m.sites[site] = s
	return nil
}

// conflictOf is who is in conflict at a site under an ID, -1 for nobody.
func (m *model) conflictOf(site, id string) int {
	if l, ok := m.local[[2]string{site, id}]; ok && l.open {
		return m.follow(l.who)
	}
	return -1
}

// resolve ends a conflict.
func (m *model) resolve(site, id string, r roster.Resolution, at span, now time.Time) error {
	who := m.conflictOf(site, id)
	if who < 0 {
		return errNobody
	}
	if r.MergeInto != "" {
		into := m.find(r.MergeInto)
		if into < 0 {
			return errNobody
		}
		return m.unite(who, into, at, now)
	}
	return m.patch(who, roster.Patch{Set: map[protocol.Field]protocol.Value{protocol.FieldUserID: protocol.Text(r.Renumber)}}, at, now)
}

// reorder puts other rules in force. The user ID is the office's whatever they
// say.
func (m *model) reorder(r protocol.Rules) error {
	m.rules = r
	m.rules.Overrides = map[protocol.Field][]protocol.Source{}
	maps.Copy(m.rules.Overrides, r.Overrides)
	m.rules.Overrides[protocol.FieldUserID] = []protocol.Source{protocol.SourceOffice}
	return nil
}
