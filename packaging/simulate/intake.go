package simulate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"doorsync/protocol"
)

// fates of an edit.
const (
	joins  = "joined with the user known under the ID"
	begins = "a new user"
	apart  = "a conflict"
	late   = "too late"
)

// take takes one journal entry in, as the rules say; verdicts are what the
// center has said about it. Where revisions do not tell what the site knew, the
// center's own decision is taken, if it is one of those that are right.
func (m *model) take(site string, e protocol.Entry, verdicts []protocol.Event, at span, now time.Time) error {
	if m.tooks[e.ID] {
		return nil
	}
	m.tooks[e.ID] = true
	if e.Edit == nil {
		return nil
	}
	stamp := m.arrived(site, e.Stamp, now)
	who, legal := m.meant(site, e)
	var fate string
	switch {
	case slices.Contains(verdicts, protocol.EventConflict):
		fate = apart
	case slices.Contains(verdicts, protocol.EventTooLate):
		fate = late
	case slices.Contains(legal, joins):
		fate = joins
	case slices.Contains(legal, begins):
		fate = begins
	default:
		fate = "taken for somebody known"
	}
	if !slices.Contains(legal, fate) {
		return fmt.Errorf("is %s; must be %q", fate, legal)
	}
	switch fate {
	case late:
		return nil
	case begins:
		who = m.enroll(site, "", e.Edit.UserID, at)
	case apart:
		who = m.enroll(site, site, e.Edit.UserID, at)
	}
	m.edit(who, site, e, stamp, fate != joins)
	return nil
}

// arrived is the stamp with which an edit is taken in: never one that is far
// ahead of the center, nor one before what the center has seen.
func (m *model) arrived(site string, s protocol.Stamp, now time.Time) protocol.Stamp {
	s.Origin = site
	if s.Wall > m.clock.Wall && s.Time().Sub(now) > 5*time.Minute {
		s = m.stamp(now)
		s.Origin = site
	}
	if s.Compare(m.clock) > 0 {
		m.clock = s
	}
	return s
}

// meant tells about whom an edit speaks, and what may become of it: the person
// whom the site knew under the ID when it happened.
func (m *model) meant(site string, e protocol.Entry) (who int, legal []string) {
	if l, ok := m.local[[2]string{site, e.Edit.UserID}]; ok {
		after, perhaps := l.until.known(e.Revision)
		if l.open || !perhaps {
			return m.heard(l.who)
		}
		if !after {
			_, legal = m.everywhere(site, e)
			return m.follow(l.who), append(legal, joins, late)
		}
	}
	return m.everywhere(site, e)
}

// heard is the fate of an edit of somebody whom a site knows as its own.
func (m *model) heard(who int) (int, []string) {
	if who = m.follow(who); m.people[who].live() {
		return who, []string{joins}
	}
	return who, []string{late}
}

// everywhere is whom an ID finds for all sites.
func (m *model) everywhere(site string, e protocol.Entry) (who int, legal []string) {
	row, ok := m.ids[e.Edit.UserID]
	if !ok {
		return -1, []string{begins}
	}
	who = m.follow(row.who)
	p := m.people[who]
	surely, perhaps := row.since.known(e.Revision)
	add := func(fate string) {
		if !slices.Contains(legal, fate) {
			legal = append(legal, fate)
		}
	}
	knew := func(yes bool) {
		if p.live() {
			m.ofSomebody(site, e, row, who, yes, add)
		} else {
			m.ofNobody(site, e, row, p, yes, add)
		}
	}
	if m.blur {
		knew(true)
		knew(false)
		if p.removed {
			add(begins)
			add(late)
		}
		return who, legal
	}
	if perhaps {
		knew(true)
	}
	if !surely {
		knew(false)
	}
	return who, legal
}

// ofSomebody is the fate of an edit under the ID of somebody who is there.
func (m *model) ofSomebody(site string, e protocol.Entry, row idOf, who int, knew bool, add func(string)) {
	switch {
	case !e.Edit.New && (knew || row.by == site):
		add(joins)
	case !e.Edit.New:
		add(late) // it was meant for who had the ID before
	case row.by == site && !knew:
		add(joins) // of the same site, which began anew from a copy
	case m.saysNothingNew(who, e.Edit):
		add(joins)
	default:
		add(apart)
	}
}

// ofNobody is the fate of an edit under the ID of somebody who was deleted.
func (m *model) ofNobody(site string, e protocol.Entry, row idOf, p *person, knew bool, add func(string)) {
	surely, perhaps := p.since.known(e.Revision)
	if perhaps || m.blur {
		add(begins)
	}
	switch {
	case surely && !m.blur:
	case e.Edit.New && !knew && row.by != site:
		add(begins)
	default:
		add(late)
	}
}

// saysNothingNew: all that the edit gives the user has already.
func (m *model) saysNothingNew(who int, e *protocol.Edit) bool {
	p := m.people[who]
	for _, c := range e.Given {
		if !p.has(c.Key()) {
			return false
		}
	}
	for f, v := range e.Values {
		if now, _ := m.value(p, f); !v.Trimmed().IsNull() && now.value != v.Trimmed() {
			return false
		}
	}
	return len(e.Given) > 0
}

// enroll begins somebody, at their site alone if it is a conflict.
func (m *model) enroll(site, conflict, id string, at span) int {
	who := len(m.people)
	m.people = append(m.people, &person{contributed: nothing(), born: at, by: site, conflict: conflict, into: -1})
	if conflict != "" {
		m.local[[2]string{site, id}] = localOf{who: who, open: true}
	} else {
		m.ids[id] = idOf{who, at, site}
	}
	return who
}

// edit lets an edit say what it says.
func (m *model) edit(who int, site string, e protocol.Entry, at protocol.Stamp, isNew bool) {
	p := m.people[who]
	if isNew {
		p.say(protocol.SourceReaders, protocol.FieldUserID, saying{value: protocol.Text(e.Edit.UserID), at: at})
	}
	for _, c := range e.Edit.Given {
		k, state := c.Key(), protocol.Given
		r, revoked := m.gone[k]
		holder := m.holder(k)
		others := slices.Contains(e.Edit.Refused, k) || revoked || holder >= 0 && holder != who
		if mine := p.has(k) || revoked && r.who == who; others && !mine {
			state = protocol.Refused
		}
		p.give(protocol.SourceReaders, c, state, at)
	}
	for f, v := range e.Edit.Values {
		if f != protocol.FieldUserID {
			p.say(protocol.SourceReaders, f, saying{value: v, at: at})
		}
	}
	if m.rules.Withdraw {
		for _, k := range e.Edit.Withdrawn {
			p.give(protocol.SourceReaders, k.Credential(), protocol.Withdrawn, at)
		}
	}
	for _, g := range e.Edit.Groups {
		p.join(protocol.SourceReaders, g, protocol.Given, at)
	}
}

var errNobody = errors.New("there is nobody")
