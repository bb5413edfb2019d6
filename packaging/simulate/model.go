package simulate

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// model knows what was done, in the order in which it reached the center, and
// the rules of merging. It shares no code with the product but the plain types
// of values. People are named by their place in a list.
type model struct {
	people []*person
	ids    map[string]idOf       // whom a user ID finds
	local  map[[2]string]localOf // whom it finds in the edits of one site: conflicts, and what is left of them
	gone   map[protocol.CredentialKey]revocation
	rules  protocol.Rules
	clock  protocol.Stamp
	sites  map[string]scopeOf
	tooks  map[protocol.EntryID]bool // entries taken
	upTo   map[[2]string]uint64      // by site and epoch
	blur   bool                      // revisions before now count in another roster
}

// span is a range of revisions within which something happened: (from, to].
type span struct{ from, to uint64 }

// before tells whether it certainly happened before a site had a revision, and
// whether that is possible.
func (s span) known(at uint64) (surely, perhaps bool) { return at >= s.to, at > s.from }

type idOf struct {
	who   int
	since span
	by    string // site that enrolled it so
}

type localOf struct {
	who   int
	open  bool
	until span
}

type revocation struct {
	who    int // -1: nobody had it
	before protocol.Giving
}

type scopeOf struct {
	mode   string
	groups []string
}

// word is what a source says about an element.
type word struct {
	state protocol.Giving
	at    protocol.Stamp
}

// saying is what a source says about a value.
type saying struct {
	value protocol.Value
	blank bool
	at    protocol.Stamp
}

func (s saying) vacant() bool { return s.value.IsNull() && !s.blank }

// later orders sayings; equal stamps are possible where two agents run under
// one name.
func (s saying) compare(o saying) int {
	b := func(x bool) int {
		if x {
			return 1
		}
		return 0
	}
	return cmp.Or(s.at.Compare(o.at), cmp.Compare(b(s.blank), b(o.blank)),
		strings.Compare(s.value.First, o.value.First), strings.Compare(s.value.Second, o.value.Second))
}

// contributed is all that was said about somebody.
type contributed struct {
	first, latest map[protocol.Field]map[protocol.Source]saying
	creds         map[protocol.CredentialKey]map[protocol.Source]word
	things        map[protocol.CredentialKey]protocol.Credential
	groups        map[string]map[protocol.Source]word
}

func nothing() contributed {
	return contributed{
		first: map[protocol.Field]map[protocol.Source]saying{}, latest: map[protocol.Field]map[protocol.Source]saying{},
		creds:  map[protocol.CredentialKey]map[protocol.Source]word{},
		things: map[protocol.CredentialKey]protocol.Credential{}, groups: map[string]map[protocol.Source]word{},
	}
}

func (c contributed) clone() contributed {
	out := contributed{things: maps.Clone(c.things)}
	out.first, out.latest = deep(c.first), deep(c.latest)
	out.creds, out.groups = deep(c.creds), deep(c.groups)
	return out
}

func deep[K, L comparable, V any](m map[K]map[L]V) map[K]map[L]V {
	out := make(map[K]map[L]V, len(m))
	for k, v := range m {
		out[k] = maps.Clone(v)
	}
	return out
}

// person is somebody the center knows or knew.
type person struct {
	contributed
	born     span
	by       string // site that enrolled them, "" for the office
	conflict string // the site at which alone they are known
	removed  bool
	since    span // of the removal
	into     int  // whom they were merged into, -1
	ids      []string
	grave    *contributed
}

func newModel(rules protocol.Rules) *model {
	return &model{
		ids: map[string]idOf{}, local: map[[2]string]localOf{}, gone: map[protocol.CredentialKey]revocation{}, rules: rules,
		sites: map[string]scopeOf{}, tooks: map[protocol.EntryID]bool{}, upTo: map[[2]string]uint64{},
	}
}

func (m *model) clone() *model {
	out := *m
	out.people = make([]*person, len(m.people))
	for i, p := range m.people {
		one := *p
		one.contributed, one.ids = p.contributed.clone(), slices.Clone(p.ids)
		out.people[i] = &one
	}
	out.ids, out.local, out.gone = maps.Clone(m.ids), maps.Clone(m.local), maps.Clone(m.gone)
	out.sites, out.tooks, out.upTo = maps.Clone(m.sites), maps.Clone(m.tooks), maps.Clone(m.upTo)
	return &out
}

// follow is whom somebody has become by merging.
func (m *model) follow(who int) int {
	for m.people[who].into >= 0 {
		who = m.people[who].into
	}
	return who
}

func (p *person) live() bool { return !p.removed && p.into < 0 }

// say notes what a source says about a value. A reader that shows it empty says
// nothing.
func (c contributed) say(src protocol.Source, f protocol.Field, s saying) {
	s.value = s.value.Trimmed()
	if s.vacant() && src == protocol.SourceReaders {
		return
	}
	if c.latest[f] == nil {
		c.latest[f], c.first[f] = map[protocol.Source]saying{}, map[protocol.Source]saying{}
	}
	if old, ok := c.latest[f][src]; !ok || s.compare(old) > 0 {
		c.latest[f][src] = s
	}
	if old, ok := c.first[f][src]; !s.vacant() && (!ok || s.compare(old) < 0) {
		c.first[f][src] = s
	}
}

// give notes what a source says about a credential.
func (c contributed) give(src protocol.Source, cr protocol.Credential, state protocol.Giving, at protocol.Stamp) {
	k := cr.Key()
	if c.creds[k] == nil {
		c.creds[k] = map[protocol.Source]word{}
	}
	if old, ok := c.things[k]; !ok || len(cr.Template) > len(old.Template) {
		c.things[k] = cr
	}
	c.creds[k][src] = c.creds[k][src].joined(word{state, at})
}

func (c contributed) join(src protocol.Source, group string, state protocol.Giving, at protocol.Stamp) {
	if c.groups[group] == nil {
		c.groups[group] = map[protocol.Source]word{}
	}
	c.groups[group][src] = c.groups[group][src].joined(word{state, at})
}

// joined is the later word; of equal stamps the one that takes away more.
func (w word) joined(o word) word {
	strength := []protocol.Giving{protocol.Given, protocol.Withdrawn, protocol.Refused, protocol.Revoked}
	later := cmp.Or(o.at.Compare(w.at), cmp.Compare(slices.Index(strength, o.state), slices.Index(strength, w.state)))
	if w.state == "" || later > 0 {
		return o
	}
	return w
}

// has tells whether somebody holds a credential: a source gives it, or the
// office has revoked it while it was theirs.
func (p *person) has(k protocol.CredentialKey) bool {
	for _, w := range p.creds[k] {
		if w.state == protocol.Given || w.state == protocol.Revoked {
			return p.live()
		}
	}
	return false
}

// holder is who holds a credential, -1 for nobody.
func (m *model) holder(k protocol.CredentialKey) int {
	return slices.IndexFunc(m.people, func(p *person) bool { return p.has(k) })
}

// rank is the place of a source in the priority for a field.
func (m *model) rank(f protocol.Field, s protocol.Source) int {
	order := slices.Concat(m.rules.Overrides[f], m.rules.Order)
	return slices.Index(order, s)
}

// value is what the sources' words on a field come to: the highest in the
// priority that has one, and pairs as one.
func (m *model) value(p *person, f protocol.Field) (v saying, by protocol.Source) {
	for src := range p.latest[f] {
		s := p.latest[f][src]
		settle := m.rules.Settle
		if one, ok := m.rules.SettleBy[f]; ok {
			settle = one
		}
		if src == protocol.SourceReaders && settle == protocol.SettleFirst {
			s = p.first[f][src]
		}
		if !s.vacant() && (by == "" || m.rank(f, src) < m.rank(f, by)) {
			v, by = s, src
		}
	}
	return v, by
}

// name is the whole name, or first and last, whichever stands higher.
func (m *model) name(p *person) string {
	whole, by := m.value(p, protocol.FieldName)
	first, firstBy := m.value(p, protocol.FieldFirstName)
	last, lastBy := m.value(p, protocol.FieldLastName)
	best := firstBy
	if best == "" || (lastBy != "" && m.rank(protocol.FieldName, lastBy) < m.rank(protocol.FieldName, best)) {
		best = lastBy
	}
	if by != "" && (best == "" || m.rank(protocol.FieldName, by) < m.rank(protocol.FieldName, best)) {
		return whole.value.First
	}
	return strings.TrimSpace(first.value.First + " " + last.value.First)
}

// user is what everybody is to be given of somebody.
func (m *model) user(p *person) protocol.User {
	id, _ := m.value(p, protocol.FieldUserID)
	u := protocol.User{ID: id.value.First, Values: map[protocol.Field]protocol.Value{}}
	for f := range p.latest {
		if v, _ := m.value(p, f); !v.value.IsNull() && f != protocol.FieldUserID && f != protocol.FieldName {
			u.Values[f] = v.value
		}
	}
	if n := m.name(p); n != "" {
		u.Values[protocol.FieldName] = protocol.Value{First: n}
	}
	type open struct {
		cr protocol.Credential
		at protocol.Stamp
		by protocol.Source
	}
	var opens []open
	for k, words := range p.creds {
		if _, revoked := m.gone[k]; revoked || !inEffect(words) {
			continue
		}
		o := open{cr: p.things[k]}
		for src, w := range words {
			if w.state == protocol.Given && (o.by == "" || w.at.Compare(o.at) > 0) {
				o.at, o.by = w.at, src
			}
		}
		opens = append(opens, o)
	}
	slices.SortFunc(opens, func(a, b open) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(m.rank("", a.by), m.rank("", b.by)), cmp.Compare(a.cr.Key(), b.cr.Key()))
	})
	for _, o := range opens {
		u.Credentials = append(u.Credentials, o.cr)
	}
	u.Groups = m.groupsOf(p)
	return u
}

func inEffect(words map[protocol.Source]word) bool {
	given := false
	for _, w := range words {
		if w.state == protocol.Revoked {
			return false
		}
		given = given || w.state == protocol.Given
	}
	return given
}

func (m *model) groupsOf(p *person) []string {
	var out []string
	for g, words := range p.groups {
		if inEffect(words) {
			out = append(out, g)
		}
	}
	slices.Sort(out)
	return out
}

// stamp is the time of something done at the office.
func (m *model) stamp(now time.Time) protocol.Stamp {
	if wall := now.UnixMilli(); wall > m.clock.Wall {
		m.clock = protocol.Stamp{Wall: wall}
	} else {
		m.clock = protocol.Stamp{Wall: m.clock.Wall, Counter: m.clock.Counter + 1}
	}
	return m.clock
}

// sees tells whether a site is to be given somebody.
func (m *model) sees(site string, who int) bool {
	p := m.people[who]
	if !p.live() {
		return false
	}
	if p.conflict != "" {
		return p.conflict == site
	}
	for key, l := range m.local {
		if key[0] == site && l.open && l.who != who && slices.Contains(m.idsOf(who), key[1]) {
			return false // somebody else has the ID there
		}
	}
	s := m.sites[site]
	if s.mode != wire.ModeGroups {
		return true
	}
	groups := m.groupsOf(p)
	if len(groups) == 0 {
		return p.by == site
	}
	return slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(s.groups, g) })
}

// idsOf are the user IDs that find somebody.
func (m *model) idsOf(who int) []string {
	id, _ := m.value(m.people[who], protocol.FieldUserID)
	out := []string{id.value.First}
	for id, row := range m.ids {
		if row.who == who {
			out = append(out, id)
		}
	}
	return out
}

// mayKnow says why a site has no right to somebody, "" if it has.
func (m *model) mayKnow(site, conflict, id string) string {
	for who, p := range m.people {
		if v, _ := m.value(p, protocol.FieldUserID); p.live() && p.conflict == conflict && v.value.First == id {
			if m.sees(site, who) {
				return ""
			}
			return "it has no right to"
		}
	}
	return "nobody has this ID"
}

func (m *model) takenOf(site, epoch string) uint64       { return m.upTo[[2]string{site, epoch}] }
func (m *model) taken(site, epoch string, number uint64) { m.upTo[[2]string{site, epoch}] = number }

var errRule = errors.New("refused by the rules")
