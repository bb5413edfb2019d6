package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorsync/packaging/rig"
)

// smallDisk mounts a disk of so many MiB at dir.
func smallDisk(t *testing.T, dir string, size int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm,mode=0700", size), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount a small disk: %v: %s: this test needs Linux and root, run it with sudo", err, out)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v: %s", err, out)
		}
	})
}

// fill writes until the disk is full and returns what makes room again.
func fill(t *testing.T, dir string) (room func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		switch _, err := f.Write(block); {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2]
		case err != nil:
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDiskFullAtTheAgent: the agent says so, acknowledges nothing and goes on
// when there is room; nobody who was enrolled meanwhile is lost.
func TestDiskFullAtTheAgent(t *testing.T) {
	w := newWorld(t, "LYON", "OSLO")
	lyon := w.sites["LYON"]
	smallDisk(t, lyon.Data, 4)
	w.start()
	w.enroll("LYON", "1", "Before")
	w.agree(20 * time.Second)

	room := fill(t, lyon.Data)
	for n := range 40 {
		w.enroll("LYON", "1"+pad(n), "While full")
	}
	w.says(lyon.Process, "full")
	center, err := w.atCenter()
	w.must(err)
	if len(center) == len(w.want) {
		t.Error("everybody arrived though the disk was full: the test filled nothing")
	}
	select {
	case <-lyon.Done():
		t.Fatalf("the agent ended because its disk was full:\n%s", lyon.Tail(10))
	default:
	}

	room()
	w.enroll("LYON", "2", "After")
	w.agree(60 * time.Second)
	w.everythingOnce()
}

// TestDiskFullAtTheCenter: the site goes on, the center says that it is full,
// confirms nothing and takes everything in when there is room.
func TestDiskFullAtTheCenter(t *testing.T) {
	w := newWorld(t, "LYON", "OSLO")
	data := filepath.Join(w.center.Dir, "data")
	smallDisk(t, data, 24)
	w.start()
	w.enroll("LYON", "1", "Before")
	w.agree(20 * time.Second)

	room := fill(t, data)
	for n := range 40 {
		w.enroll("LYON", "1"+pad(n), "While full")
	}
	w.says(w.center.Process, "full")
	select {
	case <-w.center.Done():
		t.Fatalf("the center ended because its disk was full:\n%s", w.center.Tail(10))
	default:
	}

	room()
	w.enroll("LYON", "2", "After")
	w.agree(60 * time.Second)
	w.everythingOnce()
}

// says waits until a program has printed a word.
func (w *world) says(p *rig.Process, word string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	w.must(p.Until(ctx, "a word about "+word, func(context.Context) bool {
		return strings.Contains(strings.ToLower(p.Tail(200)), word)
	}))
}

func pad(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }
