package e2e_test

import (
	"context"
	"os"
	"testing"
	"time"

	"doorsync/packaging/rig"
)

// TestAgentRestoredFromACopy: the journal is put back to an old copy, as after
// a dead disk. The center keeps what it had taken in, the site gets it back, and
// what is enrolled afterwards counts.
func TestAgentRestoredFromACopy(t *testing.T) {
	w := newWorld(t, "LYON", "OSLO")
	w.start()
	w.enroll("LYON", "1", "Before the copy")
	w.agree(20 * time.Second)
	lyon := w.sites["LYON"]
	w.must(lyon.Stop())
	old, err := os.ReadFile(lyon.Journal())
	w.must(err)

	w.must(lyon.Start(w.ctx))
	for _, id := range []string{"2", "3", "4"} {
		w.enroll("LYON", id, "After the copy "+id)
	}
	w.agree(20 * time.Second)
	w.must(lyon.Kill())
	w.must(os.WriteFile(lyon.Journal(), old, 0o600))

	// While nobody looks after it, the terminal goes on, too.
	w.enroll("LYON", "5", "Enrolled meanwhile")
	w.must(lyon.Start(w.ctx))
	w.enroll("LYON", "6", "After the restore")
	w.enroll("OSLO", "7", "Elsewhere")
	w.agree(30 * time.Second)
}

// TestCenterRestoredFromACopy: the same with the roster. Sites still hold what
// the center has forgotten, and send it again, while the center gives the
// revisions they know to other changes.
func TestCenterRestoredFromACopy(t *testing.T) {
	t.Run("all sites at once", func(t *testing.T) {
		w := restoredCenter(t)
		w.must(w.center.Start(w.ctx))
		w.enroll("OSLO", "4", "After the restore")
		w.agree(30 * time.Second)
	})
	t.Run("one site late", func(t *testing.T) {
		w := restoredCenter(t)
		w.must(w.sites["LYON"].Stop())
		w.must(w.center.Start(w.ctx))
		for _, id := range []string{"4", "5", "6", "7", "8"} {
			w.enroll("OSLO", id, "After the restore "+id)
		}
		w.known("8")
		w.must(w.sites["LYON"].Start(w.ctx))
		w.agree(30 * time.Second)
	})
}

// restoredCenter is an installation whose center is down, with an old copy of
// its roster in place.
func restoredCenter(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "LYON", "OSLO")
	w.start()
	w.enroll("LYON", "1", "Before the copy")
	w.agree(20 * time.Second)
	w.must(w.center.Stop())
	old, err := os.ReadFile(w.center.Database())
	w.must(err)

	w.must(w.center.Start(w.ctx))
	w.enroll("LYON", "2", "After the copy")
	w.enroll("OSLO", "3", "After the copy, too")
	w.agree(20 * time.Second)
	w.must(w.center.Stop())
	for _, suffix := range []string{"-wal", "-shm"} {
		w.must(os.RemoveAll(w.center.Database() + suffix))
	}
	w.must(os.WriteFile(w.center.Database(), old, 0o600))
	return w
}

// known waits until the center knows somebody.
func (w *world) known(id string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	w.must(rig.Until(ctx, "user "+id+" at the center", func(ctx context.Context) bool {
		_, err := w.center.User(ctx, id)
		return err == nil
	}))
}
