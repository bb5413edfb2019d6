package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/api"
)

// The soak itself needs root and ten minutes; these tests show that its checks
// can fail.

func TestTrend(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := stretch{name: "haul", from: begin, to: begin.Add(180 * time.Second)}
	samples := func(at func(second int) int) []sample {
		var out []sample
		for second := range 180 {
			out = append(out, sample{at: begin.Add(time.Duration(second) * time.Second), rss: at(second), anon: at(second), threads: 9, files: at(second) / 2048})
		}
		return out
	}
	for name, c := range map[string]struct {
		at    func(int) int
		grows bool
	}{
		"steady":                     {func(int) int { return 20 << 10 }, false},
		"saw teeth of the collector": {func(s int) int { return 20<<10 + s%7<<10 }, false},
		"grown at first, then flat":  {func(s int) int { return min(10<<10+s<<10, 40<<10) }, false},
		"a quarter MiB a second":     {func(s int) int { return 20<<10 + s<<8 }, true},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			m := measures()[1]
			second, last, ok := m.trend(samples(c.at), s)
			if !ok || m.grows(second, last) != c.grows {
				t.Errorf("from %d to %d KiB (%t): grows is %t, want %t", second, last, ok, m.grows(second, last), c.grows)
			}
		})
	}
	files := measures()[4]
	if second, last, _ := files.trend(samples(func(s int) int { return s * 512 }), s); !files.grows(second, last) {
		t.Errorf("from %d to %d files and not taken for growth", second, last)
	}
	if _, _, ok := files.trend(nil, s); ok {
		t.Error("a trend of no samples")
	}
}

func TestLiveHeap(t *testing.T) {
	for line, want := range map[string]int{
		"gc 7 @2.104s 0%: 0.018+1.2+0.003 ms clock, 0.036+0.5/1.0/0.1+0.007 ms cpu, 18->19->4 MB, 20 MB goal, 0 MB stacks, 0 MB globals, 2 P\n":           4 << 10,
		"gc 9 @122.1s 0%: 0.018+1.2+0.003 ms clock, 0.036+0.5/1.0/0.1+0.007 ms cpu, 18->19->11 MB, 20 MB goal, 0 MB stacks, 0 MB globals, 2 P (forced)\n": 11 << 10,
		"time=12:00 msg=\"gc 1 @ -> MB, \"\n": -1,
		"gc now\n":                            -1,
	} {
		got, ok := liveHeap(line)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d KiB, want %d", line, got, want)
		}
	}
}

func TestDumped(t *testing.T) {
	text := "time=x msg=y\nSIGQUIT: quit\nPC=0x1\n\ngoroutine 0 gp=0x1 m=0 [idle]:\n\ngoroutine 1 gp=0xc0 [chan receive, 2 minutes]:\nmain.main()\n\ngoroutine 27 [select]:\nx()\n"
	if n, err := dumped(text, "center"); err != nil || n != 2 {
		t.Errorf("%d goroutines, %v; want 2", n, err)
	}
	if _, err := dumped("goroutine 1 [running]:", "center"); err == nil {
		t.Error("counted goroutines of a program that printed none")
	}
}

func TestSecretsAreFound(t *testing.T) {
	pins := []string{"48151623"}
	for text, want := range map[string]int{
		`msg="typed in" pin=48151623`: 1, `{"pin":"48151623"}`: 1, hex.EncodeToString([]byte("48151623")): 1,
		"took 148151623 ns": 0, "0xc048151623": 0, "pin=****": 0,
	} {
		if got := append(pinsIn([]byte(text), pins), secretForms(pins, nil).in([]byte(text))...); len(got) != want {
			t.Errorf("%q: found %v, want %d", text, got, want)
		}
	}
	template := make([]byte, 200)
	for i := range template {
		template[i] = byte(i*7 + 3)
	}
	forms := secretForms(nil, map[string][]byte{"finger 6 of user 4": template})
	for what, text := range map[string]string{
		"bytes": string(template), "hex": fmt.Sprintf("%x", template), "HEX": fmt.Sprintf("%X", template), "numbers": fmt.Sprint(template),
		"base64": base64.StdEncoding.EncodeToString(template), "base64, one later": base64.StdEncoding.EncodeToString(append([]byte{1}, template...)),
		"base64, two later": base64.StdEncoding.EncodeToString(append([]byte{1, 2}, template...)),
	} {
		if got := forms.in([]byte("at 12:00 " + text + " and so on")); len(got) != 1 {
			t.Errorf("a template as %s was not found", what)
		}
	}
	if got := forms.in([]byte("fingerprint 6, 200 bytes")); len(got) > 0 {
		t.Errorf("found %v in a text without it", got)
	}
}

func user(name string, card uint32) api.User {
	return api.User{Name: name, Credentials: []api.Credential{{Kind: "card", Number: fmt.Sprint(card), State: "given"}}}
}

func TestWanted(t *testing.T) {
	lyon, oslo := siteNames()[0], siteNames()[1]
	w := &world{people: newPeople()}
	w.people.add(person{id: "1", name: "Anna", card: 7})
	w.people.add(person{id: "2", name: "Bruno", gone: true})
	w.people.addTwins(twins{id: "40000", at: map[string]person{lyon: {name: "Of Lyon", card: 8}, oslo: {name: "Of Oslo", card: 9}}})
	w.people.addRivals(rivals{card: 5, ids: [2]string{"50000", "50001"}}, person{id: "50000", name: "One", card: 5}, person{id: "50001", name: "Two", card: 5})
	lawful := func() roster {
		return roster{
			users:     map[string]api.User{"1": user("Anna", 7), "40000": user("Of Oslo", 9), "50000": user("One", 5), "50001": {Name: "Two"}},
			conflicts: map[string]api.User{lyon + " 40000": user("Of Lyon", 8)},
		}
	}
	want, difference := w.wanted(lawful())
	if difference != "" {
		t.Fatal(difference)
	}
	for where, c := range map[string]struct{ got, want string }{
		"deleted":                  {want.center["2"], ""},
		"the holder at the center": {want.center["40000"], shape("Of Oslo", 9, false, nil)},
		"the other at home":        {want.sites[lyon]["40000"], shape("Of Lyon", 8, false, nil)},
		"the holder at home":       {want.sites[oslo]["40000"], shape("Of Oslo", 9, false, nil)},
		"who lost the card":        {want.sites[lyon]["50001"], shape("Two", 0, false, nil)},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", where, c.got, c.want)
		}
	}
	for what, spoil := range map[string]func(*roster){
		"blended":             func(r *roster) { r.users["40000"] = user("Of Oslo", 8) },
		"no conflict":         func(r *roster) { r.conflicts = nil },
		"one too many":        func(r *roster) { r.conflicts[oslo+" 1"] = user("Anna", 7) },
		"the other is cut":    func(r *roster) { r.conflicts[lyon+" 40000"] = api.User{Name: "Of Lyon"} },
		"a card opens twice":  func(r *roster) { r.users["50001"] = user("Two", 5) },
		"a card opens for no": func(r *roster) { r.users["50000"] = api.User{Name: "One"} },
	} {
		r := lawful()
		spoil(&r)
		if _, difference := w.wanted(r); difference == "" {
			t.Errorf("%s: taken for lawful", what)
		}
	}
}

func TestDiffers(t *testing.T) {
	want := map[string]string{"1": "a", "2": "b"}
	for name, got := range map[string]map[string]string{"lost": {"1": "a"}, "mixed up": {"1": "a", "2": "a"}, "too many": {"1": "a", "2": "b", "3": "c"}} {
		if differs("front", want, got) == "" {
			t.Errorf("%s: no difference seen", name)
		}
	}
	if d := differs("front", want, want); d != "" {
		t.Error(d)
	}
}

// journal is a site's journal and what the center has of it.
func journal(n int) ([]entry, []api.Event) {
	var mine []entry
	var taken []api.Event
	for i := range n {
		e := entry{Number: uint64(i) + 1, Time: time.Unix(int64(i), 0), Event: "enrolled", UserID: fmt.Sprint(i)}
		mine = append(mine, e)
		taken = append(taken, api.Event{Number: e.Number, Time: e.Time, Event: e.Event, User: e.UserID})
	}
	return mine, taken
}

func TestCompare(t *testing.T) {
	for what, spoil := range map[string]func([]api.Event) []api.Event{
		"":                func(e []api.Event) []api.Event { return e },
		"lost":            func(e []api.Event) []api.Event { return append(e[:2:2], e[3:]...) },
		"lost at the end": func(e []api.Event) []api.Event { return e[:4] },
		"twice":           func(e []api.Event) []api.Event { return append(e[:2:2], e[1:]...) },
		"another":         func(e []api.Event) []api.Event { e[3].User = "9"; return e },
	} {
		line, err := newTimeline(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		w := &world{line: line, people: newPeople()}
		mine, taken := journal(5)
		w.compare("LYON", mine, spoil(taken))
		if failed := len(line.failures()) > 0; failed != (what != "") {
			t.Errorf("%q: failed is %t: %v", what, failed, line.failures())
		}
		if err := line.close(); err != nil {
			t.Error(err)
		}
	}
}
