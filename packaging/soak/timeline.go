package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// timeline is what happened, for whoever has to find out why: every fault and
// every program's life in a file, one line a phase on the terminal.
type timeline struct {
	begin time.Time
	file  *os.File

	mu      sync.Mutex
	counts  map[string]int
	groups  map[string]int
	told    map[string]int // groups, when they were last told
	faults  []string       // what does not hold
	writing error
}

func newTimeline(dir string) (*timeline, error) {
	f, err := os.Create(filepath.Join(dir, "timeline"))
	if err != nil {
		return nil, fmt.Errorf("open timeline: %w", err)
	}
	return &timeline{begin: time.Now(), file: f, counts: map[string]int{}, groups: map[string]int{}}, nil
}

func (t *timeline) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.write(fmt.Sprintf(format, args...))
}

// write is called with mu held.
func (t *timeline) write(text string) {
	_, err := fmt.Fprintf(t.file, "%9.3f  %s  %s\n", time.Since(t.begin).Seconds(), time.Now().UTC().Format("15:04:05.000"), text)
	if err != nil && t.writing == nil {
		t.writing = err
	}
}

// phase tells on the terminal as well.
func (t *timeline) phase(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	t.note("PHASE %s", text)
	at := time.Since(t.begin).Round(time.Second)
	fmt.Printf("%3d:%02d  %s\n", int(at.Minutes()), int(at.Seconds())%60, text)
}

// What is counted together in the line of a phase.
const (
	atReaders = "acts at readers"
	atOffice  = "acts at the office"
	illLines  = "lines ill"
	kills     = "kills and restarts"
	fullDisks = "full disks"
	badDays   = "bad days of terminals"
	onPurpose = "conflicts on purpose"
	aside     = "" // in the end only
)

// count counts something that was done, by itself and with its like.
func (t *timeline) count(group, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what]++
	t.groups[group]++
}

func (t *timeline) counted(what string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[what]
}

// done is everything that was counted, in words.
func (t *timeline) done() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return inWords(slices.Sorted(maps.Keys(t.counts)), t.counts)
}

// since is what was counted since it was asked last.
func (t *timeline) since() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	fresh := map[string]int{}
	for group, n := range t.groups {
		fresh[group] = n - t.told[group]
	}
	t.told = maps.Clone(t.groups)
	return inWords([]string{atReaders, atOffice, illLines, kills, fullDisks, badDays, onPurpose}, fresh)
}

func inWords(order []string, counts map[string]int) string {
	var out []string
	for _, what := range order {
		if counts[what] > 0 {
			out = append(out, fmt.Sprintf("%d %s", counts[what], what))
		}
	}
	return strings.Join(out, ", ")
}

// fail records something that does not hold. The soak goes on: one failure is
// better understood beside others.
func (t *timeline) fail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	t.write("FAILED " + text)
	t.faults = append(t.faults, text)
}

func (t *timeline) failures() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.faults)
}

func (t *timeline) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.file.Close(); t.writing == nil {
		t.writing = err
	}
	return t.writing
}
