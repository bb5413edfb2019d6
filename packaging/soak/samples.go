package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sample is what a program uses at one moment. Memory is in KiB.
type sample struct {
	at      time.Time
	life    int
	rss     int // all that is resident: VmRSS
	anon    int // of it what is not a file's: files that are mapped are the kernel's to drop
	threads int
	files   int // descriptors
}

// measure takes a sample of the program if it runs.
func (p *program) measure() {
	process, life := p.now()
	if process == nil {
		return
	}
	s, err := usage(process.PID())
	if err != nil {
		return // it ended meanwhile
	}
	s.life = life
	p.mu.Lock()
	defer p.mu.Unlock()
	p.samples = append(p.samples, s)
}

// usage reads what the kernel knows of a process.
func usage(pid int) (sample, error) {
	s := sample{at: time.Now()}
	root := filepath.Join("/proc", strconv.Itoa(pid))
	text, err := os.ReadFile(filepath.Join(root, "status"))
	if err != nil {
		return s, err
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(line, ":")
		into := map[string]*int{"VmRSS": &s.rss, "RssAnon": &s.anon, "Threads": &s.threads}[key]
		if into == nil {
			continue
		}
		if _, err := fmt.Sscan(value, into); err != nil {
			return s, fmt.Errorf("read %s: %w", line, err)
		}
		found++
	}
	if found < 3 {
		return s, fmt.Errorf("process %d has ended", pid)
	}
	entries, err := os.ReadDir(filepath.Join(root, "fd"))
	s.files = len(entries)
	return s, err
}
