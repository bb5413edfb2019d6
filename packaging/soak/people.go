package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// person is somebody as they must be in the end. Each is edited by one actor
// alone, one act after the other, so that what must be is beyond doubt.
type person struct {
	id      string
	name    string
	card    uint32
	pin     string
	fingers []int
	email   string // given by the office, to people of readers as well
	site    string // whose reader enrolled them; "" is the office
	gone    bool   // deleted at the office
	away    bool   // deleted at the reader, and not given back yet
	hidden  bool   // the last edit was of the PIN, which the center does not show
	edits   int
}

// shape is how everybody must see the person: roster and readers alike.
func (p person) shape() string {
	return shape(p.name, p.card, p.pin != "", p.fingers)
}

func shape(name string, card uint32, pin bool, fingers []int) string {
	fingers = slices.Sorted(slices.Values(fingers))
	return fmt.Sprintf("%q card %d PIN %t fingers %v", name, card, pin, fingers)
}

// twins are two people who were enrolled under one user ID at two sites, while
// neither could know of the other.
type twins struct {
	id string
	at map[string]person // by site
}

// rivals are two people, enrolled at two sites, who claim one card while
// neither site could know of the other.
type rivals struct {
	card uint32
	ids  [2]string
}

// people is everything that was done.
type people struct {
	mu     sync.Mutex
	all    map[string]*person
	twins  []twins
	rivals []rivals
	pins   []string // all that were ever typed in
}

func newPeople() *people { return &people{all: map[string]*person{}} }

// add records somebody who was taken in, at a reader or at the office.
func (p *people) add(who person) *person {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[who.id] = &who
	p.typed(who.pin)
	return p.all[who.id]
}

// typed is called with mu held.
func (p *people) typed(pin string) {
	if pin != "" && !slices.Contains(p.pins, pin) {
		p.pins = append(p.pins, pin)
	}
}

// change records an act that was acknowledged.
func (p *people) change(who *person, act func(*person)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	act(who)
	p.typed(who.pin)
}

// look is a copy of everybody.
func (p *people) look() map[string]person {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]person, len(p.all))
	for id, who := range p.all {
		c := *who
		c.fingers = slices.Clone(who.fingers)
		out[id] = c
	}
	return out
}

// ofReaders are the user IDs of those whom readers enrolled and who have no
// e-mail address yet.
func (p *people) ofReaders() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for id, who := range p.all {
		if who.site != "" && who.email == "" {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

func (p *people) addTwins(t twins) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.twins = append(p.twins, t)
}

func (p *people) addRivals(r rivals, two ...person) {
	for _, who := range two {
		p.add(who)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rivals = append(p.rivals, r)
}

// differs names the differences between two tables in words.
func differs(where string, want, got map[string]string) string {
	var missing, extra, wrong []string
	for id, shape := range want {
		switch held, ok := got[id]; {
		case !ok:
			missing = append(missing, id)
		case held != shape:
			wrong = append(wrong, fmt.Sprintf("%s is %s instead of %s", id, held, shape))
		}
	}
	for id, shape := range got {
		if _, ok := want[id]; !ok {
			extra = append(extra, id+" "+shape)
		}
	}
	if len(missing)+len(extra)+len(wrong) == 0 {
		return ""
	}
	return fmt.Sprintf("%s holds %d of %d%s%s%s", where, len(got), len(want), some("lacks", missing), some("has too many", extra), some("differs", wrong))
}

// some shows the first few of a list.
func some(what string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	const most = 5
	slices.Sort(list)
	rest := ""
	if len(list) > most {
		rest = fmt.Sprintf(" and %d more", len(list)-most)
	}
	return fmt.Sprintf("; %s: %s%s", what, strings.Join(list[:min(most, len(list))], ", "), rest)
}

// mark is change by user ID.
func (p *people) mark(id string, act func(*person)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who, ok := p.all[id]; ok {
		act(who)
	}
}
