package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// shortest is the least stretch on which a trend can be told from a beginning.
const shortest = 90 * time.Second

// stretch is a time in which programs lived on while lines, disks and brokers
// did not.
type stretch struct {
	name     string
	from, to time.Time
	young    map[string]int // goroutines of programs that had just started
	old      map[string]int // and of those that lived through the stretch
}

// measured is one thing that must not grow, and how much it may differ by
// chance: a part of what it was, and a fixed amount.
type measured struct {
	name   string
	unit   string
	of     func(sample) int
	part   float64
	fixed  int
	scale  int  // printed divided by this
	cached bool // caches are part of it, which fill up to what they may hold
}

// caches is how far the center's memory may grow while its caches fill up: a
// page cache of 32 MiB, and 8 MiB of what was told last, four times as much of
// which may wait to be collected. Below this, what is in use is judged alone.
const caches = 96 << 10

func measures() []measured {
	return []measured{
		{"VmRSS", " MiB", func(s sample) int { return s.rss }, 0.30, 12 << 10, 1 << 10, true},
		{"own memory", " MiB", func(s sample) int { return s.anon }, 0.25, 8 << 10, 1 << 10, true},
		{"heap in use", " MiB", func(s sample) int { return s.heap }, 0.25, 6 << 10, 1 << 10, false},
		{"threads", "", func(s sample) int { return s.threads }, 0, 4, 1, false},
		{"files", "", func(s sample) int { return s.files }, 0, 4, 1, false},
	}
}

// trend compares the second and the last quarter of a stretch.
func (m measured) trend(samples []sample, s stretch) (second, last int, ok bool) {
	quarter := s.to.Sub(s.from) / 4
	second, ok1 := m.median(samples, s.from.Add(quarter), s.from.Add(2*quarter))
	last, ok2 := m.median(samples, s.to.Add(-quarter), s.to)
	return second, last, ok1 && ok2
}

// grows tells whether the difference is more than chance.
func (m measured) grows(second, last int) bool {
	return float64(last) > float64(second)*(1+m.part)+float64(m.fixed)
}

func (m measured) median(samples []sample, from, to time.Time) (int, bool) {
	var values []int
	for _, s := range samples {
		if !s.at.Before(from) && s.at.Before(to) {
			values = append(values, m.of(s))
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return values[len(values)/2], true
}

// goroutines may differ by what happens to be going on.
const (
	moreGoroutines = 12
	timesMore      = 1.25
)

// flat judges a stretch, and prints what it saw.
func (w *world) flat(s stretch) {
	judged := s.to.Sub(s.from) >= shortest
	for _, p := range w.parts {
		samples := p.lived(s)
		if len(samples) == 0 {
			continue
		}
		var text strings.Builder
		if lives := samples[len(samples)-1].life - samples[0].life; lives > 0 && p.name != mosquitto {
			w.line.fail("%s was started again %d times on the %s", p.name, lives, s.name)
		}
		for _, m := range measures() {
			second, last, ok := m.trend(samples, s)
			if !ok {
				w.line.fail("%s: no samples of the %s", p.name, s.name)
				continue
			}
			fmt.Fprintf(&text, "  %s %d -> %d%s", m.name, second/m.scale, last/m.scale, m.unit)
			filling := p.name == center && m.cached && last < caches
			if judged && !filling && m.grows(second, last) {
				w.line.fail("%s grows on the %s: %s from %d to %d%s", p.name, s.name, m.name, second/m.scale, last/m.scale, m.unit)
			}
		}
		w.line.phase("  %-9s%s%s", p.name, text.String(), w.goroutines(p.name, s))
	}
	if !judged {
		w.line.phase("  shorter than %v: shown, not judged; use a longer DURATION", shortest)
	}
}

// keep writes all samples to a file, for whoever wants to draw them.
func (w *world) keep() error {
	var text strings.Builder
	text.WriteString("program,life,seconds,rss_kib,anon_kib,heap_kib,threads,files\n")
	for _, p := range w.parts {
		p.mu.Lock()
		for _, s := range p.samples {
			fmt.Fprintf(&text, "%s,%d,%.1f,%d,%d,%d,%d,%d\n", p.name, s.life, s.at.Sub(w.line.begin).Seconds(), s.rss, s.anon, s.heap, s.threads, s.files)
		}
		p.mu.Unlock()
	}
	return os.WriteFile(filepath.Join(w.dir, "samples.csv"), []byte(text.String()), 0o600)
}

// goroutines compares those of a program that has just started with those of
// one that has lived through the stretch.
func (w *world) goroutines(name string, s stretch) string {
	young, ok1 := s.young[name]
	old, ok2 := s.old[name]
	if !ok1 || !ok2 {
		return ""
	}
	if float64(old) > float64(young)*timesMore+moreGoroutines {
		w.line.fail("%s grows on the %s: from %d goroutines to %d", name, s.name, young, old)
	}
	return fmt.Sprintf("  goroutines %d -> %d", young, old)
}

// lived are the samples of a stretch.
func (p *program) lived(s stretch) []sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []sample
	for _, one := range p.samples {
		if one.at.After(s.from) && one.at.Before(s.to) {
			out = append(out, one)
		}
	}
	return out
}
