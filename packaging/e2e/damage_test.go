package e2e_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// head is what both kinds of file begin with, in bytes: of a journal two pages
// that say the same but for the last commit, either of which is enough.
const head = 2 * 8192

// damages are what happens to files: a torn download, a dead sector, another
// program's file under our name.
func damages() map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"cut in half":    func(b []byte) []byte { return b[:len(b)/2] },
		"zeroed head":    func(b []byte) []byte { return append(make([]byte, head), b[head:]...) },
		"garbage within": func(b []byte) []byte { return garbage(b, head, len(b)) },
		"another file":   func([]byte) []byte { return bytes.Repeat([]byte("this is no database\n"), 500) },
	}
}

func garbage(b []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

// TestDamagedFiles: a damaged database stops the start, is named together with
// what to do, and is left as it is.
func TestDamagedFiles(t *testing.T) {
	w := newWorld(t, "LYON")
	w.start()
	for _, id := range []string{"1", "2", "3"} {
		w.enroll("LYON", id, "Person "+id)
	}
	w.agree(20 * time.Second)
	w.must(w.sites["LYON"].Stop())
	w.must(w.center.Stop())

	for name, damage := range damages() {
		t.Run("journal "+name, func(t *testing.T) {
			damaged(t, w.sites["LYON"].Journal(), damage, func() (string, error) {
				out, err := w.sites["LYON"].Once(w.ctx)
				return out, err
			})
		})
		t.Run("roster "+name, func(t *testing.T) {
			damaged(t, w.center.Database(), damage, func() (string, error) { return w.center.Once(w.ctx) })
		})
	}
	// Put back, both go on where they were.
	w.start()
	w.enroll("LYON", "4", "Person 4")
	w.agree(20 * time.Second)
}

// damaged spoils a file for one start and puts it back.
func damaged(t *testing.T, path string, damage func([]byte) []byte, start func() (string, error)) {
	t.Helper()
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := damage(bytes.Clone(good))
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := start()
	if err == nil {
		t.Errorf("it started with a damaged %s:\n%s", filepath.Base(path), out)
	}
	if !strings.Contains(out, path) {
		t.Errorf("the output does not name %s:\n%s", path, out)
	}
	if !strings.Contains(out, "backup") && !strings.Contains(out, "copy") {
		t.Errorf("the output does not say what to do:\n%s", out)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, bad) {
		t.Errorf("%s was changed: %d bytes now, %v", filepath.Base(path), len(now), err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
}
