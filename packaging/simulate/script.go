package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"doorsync/agent/journal"
)

// Script is a whole run: what is built, how bad the network is, and what
// happens. A seed makes one; a case that failed is kept as one.
type Script struct {
	Seed    uint64
	Sites   int
	Kinds   []int         // models of the readers, two for each site
	Poll    time.Duration // of the readers
	Resync  time.Duration
	Weather weather
	Acts    []Act
}

// Act is one thing that happens. It holds everything it needs, so that leaving
// out another does not change it.
type Act struct {
	After  time.Duration // the one before
	Do     string
	Site   int           `json:",omitempty"`
	Reader int           `json:",omitempty"`
	User   string        `json:",omitempty"`
	Other  string        `json:",omitempty"` // user ID, mode, or how a machine dies
	Text   string        `json:",omitempty"` // a name or a PIN
	Number int           `json:",omitempty"` // of a card, of writes to go, of a model
	For    time.Duration `json:",omitempty"`
}

// String tells what happens, for people.
func (a Act) String() string {
	parts := []string{a.Do}
	add := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(a.User != "", "user %s", a.User)
	add(a.Other != "", "%s", a.Other)
	add(a.Text != "" && a.Do != "pin", "%q", a.Text)
	add(a.Number != 0, "number %d", a.Number)
	add(a.For != 0, "for %v", a.For)
	return strings.Join(parts, ", ")
}

// weighted is something that may happen, and how often.
type weighted struct {
	weight int
	do     string
}

// What may happen.
func chances() []weighted {
	return []weighted{
		{22, "enroll"},
		{14, "name"},
		{6, "pin"},
		{8, "card"},
		{4, "nocard"},
		{5, "finger"},
		{5, "dates at reader"},
		{8, "delete at reader"},
		{12, "put"},
		{6, "office name"},
		{4, "parts"},
		{3, "blank"},
		{3, "withdraw"},
		{8, "give"},
		{4, "take back"},
		{8, "join"},
		{5, "leave"},
		{3, "state"},
		{5, "dates"},
		{3, "office pin"},
		{8, "delete"},
		{5, "restore"},
		{4, "merge"},
		{4, "renumber"},
		{7, "resolve"},
		{4, "revoke"},
		{3, "allow"},
		{2, "order"},
		{4, "mode"},
		{8, "wan"},
		{3, "broker"},
		{5, "kill center"},
		{10, "kill agent"},
		{2, "stop center"},
		{3, "stop agent"},
		{2, "agent disk full"},
		{2, "center disk full"},
		{3, "site clock"},
		{2, "center clock"},
		{4, "dark"},
		{3, "forgets"},
		{2, "swap"},
		{3, "half"},
		{3, "touchy"},
		{2, "twin"},
		{5, "backup site"},
		{3, "backup center"},
		{2, "restore site"},
		{2, "restore center"},
		{3, "outage"},
	}
}

// themes are acts that mean something only together. A run in which everything
// is equally likely hardly ever has three of them befall the same person.
func themes() [][]string {
	return [][]string{
		{"dates at reader", "dates", "enroll", "put", "order"},
		{"backup site", "restore site", "twin", "enroll", "name"},
		{"backup center", "restore center", "put", "enroll", "delete"},
		{"enroll", "put", "delete", "restore", "merge", "renumber", "resolve", "wan"},
		{"card", "nocard", "give", "take back", "revoke", "allow", "finger"},
		{"join", "leave", "mode", "enroll"},
		{"name", "pin", "office name", "office pin", "parts", "blank", "withdraw", "order"},
		{"agent disk full", "center disk full", "kill agent", "kill center"},
		{"dark", "forgets", "swap", "half", "touchy", "delete at reader", "name"},
	}
}

// leaning is what may happen in one run: some of it never, some more often, and
// in half of the runs one theme above all.
func leaning(d *dice) []weighted {
	all := chances()
	for i := range all {
		all[i].weight *= []int{0, 1, 1, 1, 3}[d.n(5)]
	}
	all[0].weight = max(all[0].weight, 10) // without people nothing can happen
	if d.in(500) {
		return all
	}
	theme := themes()[d.n(len(themes()))]
	for i := range all {
		if slices.Contains(theme, all[i].do) {
			all[i].weight = 12 + 5*all[i].weight
		}
	}
	return all
}

// NewScript draws a run from a seed.
func NewScript(seed uint64) Script {
	d := newDice(seed, "script")
	sc := Script{Seed: seed, Sites: 2 + d.n(2), Poll: []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute}[d.n(3)]}
	for range 2 * sc.Sites {
		sc.Kinds = append(sc.Kinds, d.n(len(kinds())))
	}
	sc.Weather.Slow = time.Duration(1+d.n(80)) * time.Millisecond
	if d.in(700) {
		sc.Weather.Lost, sc.Weather.Doubled, sc.Weather.Late, sc.Weather.Cut = d.n(100), d.n(80), d.n(80), d.n(30)
	}
	all := leaning(newDice(seed, "leaning"))
	people := 2 + newDice(seed, "people").n(7)
	total := 0
	for _, c := range all {
		total += c.weight
	}
	for i := range 8 + d.n(45) {
		one := newDice(seed, fmt.Sprintf("act %d", i))
		at := one.n(total)
		for _, c := range all {
			if at -= c.weight; at < 0 {
				sc.Acts = append(sc.Acts, newAct(one, c.do, i, sc.Sites, people))
				break
			}
		}
	}
	sc.Resync = 15 * time.Minute
	for _, a := range sc.Acts {
		if a.Do == "outage" && a.For > 12*time.Hour { // or nothing else would be computed
			sc.Poll, sc.Resync = 12*time.Hour, 24*time.Hour
		}
	}
	return sc
}

func newAct(d *dice, do string, i, sites, people int) Act {
	a := Act{Do: do, After: d.between(time.Millisecond, 20*time.Second), Site: d.n(sites), Reader: d.n(2)}
	if d.in(100) {
		a.After = d.between(time.Second, 3*time.Minute)
	}
	user := func() string { return fmt.Sprint(1 + d.n(people)) }
	a.User = user()
	a.Text = fmt.Sprintf("N%d", i)
	a.Number = 1 + d.n(12)
	switch do {
	case "pin", "office pin":
		a.Text = fmt.Sprint(70_000_000 + 1000*i + d.n(1000))
	case "merge", "renumber", "resolve":
		a.Other = user()
		if do != "merge" && d.in(500) {
			a.Other = fmt.Sprint(20 + d.n(4))
		}
		a.Number = d.n(2)
	case "order":
		a.Number = d.n(4)
	case "mode":
		a.Other = []string{"all+readers", "groups", "groups", "all", "off"}[d.n(5)]
	case "join", "leave":
		a.Other = []string{"g0", "g1", "g2", "everywhere"}[d.n(4)]
	case "kill center", "kill agent":
		a.Other, a.Number = []string{killNow, killBefore, killAfter, killTorn}[d.n(4)], 1+d.n(6)
		a.For = d.between(time.Second, 2*time.Minute)
	case "stop center", "stop agent", "broker", "dark", "half", "agent disk full", "center disk full", "touchy":
		a.For = d.between(time.Second, 2*time.Minute)
	case "wan", "twin":
		a.For = d.between(time.Second, 5*time.Minute)
	case "site clock", "center clock":
		a.For = d.between(time.Second, 48*time.Hour)
		if d.in(500) {
			a.For = -a.For
		}
	case "swap":
		a.Number = d.n(len(kinds()))
	case "outage":
		a.For = d.between(time.Hour, 100*24*time.Hour)
	}
	return a
}

// FreshSeed is a seed that nobody chose.
func FreshSeed() uint64 { return uint64(rand.Uint32()) << 12 }

// retain is how long journals keep what the center has taken: the default, or
// longer than anything lasts where an old copy of the roster is put back. Of what
// is older than a site keeps, such a copy can bring nothing back.
func (sc Script) retain() time.Duration {
	if slices.ContainsFunc(sc.Acts, func(a Act) bool { return a.Do == "restore center" }) {
		return 100 * 365 * 24 * time.Hour
	}
	return journal.DefaultRetain
}
