package main

import (
	"fmt"
	"io"
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
	heap    int // what the last collection of garbage found in use; 0 before the first
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
	if p.traced.life != life {
		p.traced = trace{life: life, offset: p.traced.offset}
	}
	p.traced.read(process.Log)
	s.heap = p.traced.heap
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

// traced programs say after each collection of garbage what is still in use:
// GODEBUG=gctrace=1. The rest of their memory is waiting to be collected, or a
// database's page cache.
const traced = "gctrace=1"

// trace follows what a program says of its heap in its log.
type trace struct {
	life   int
	offset int64
	heap   int
}

// read takes what the log has got since. A log that cannot be read shows as a
// heap of nothing, which is not judged.
func (t *trace) read(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, t.offset, maxTrace))
	if err != nil {
		return
	}
	t.offset += int64(len(text))
	for line := range strings.Lines(string(text)) {
		if kib, ok := liveHeap(line); ok {
			t.heap = kib
		}
	}
}

// maxTrace bounds what is read of a log at a time.
const maxTrace = 4 << 20

// liveHeap reads "gc 7 @2.1s 0%: ... 18->19->4 MB, 20 MB goal, ...".
func liveHeap(line string) (kib int, ok bool) {
	if !strings.HasPrefix(line, "gc ") {
		return 0, false
	}
	before, _, ok := strings.Cut(line, " MB, ")
	if !ok {
		return 0, false
	}
	var megabytes int
	_, err := fmt.Sscan(before[strings.LastIndex(before, ">")+1:], &megabytes)
	return megabytes << 10, err == nil
}
