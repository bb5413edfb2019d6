package e2e_test

import (
	"os"
	"testing"
	"time"
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
// the center has forgotten, and send it again.
func TestCenterRestoredFromACopy(t *testing.T) {
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

	w.must(w.center.Start(w.ctx))
	w.enroll("OSLO", "4", "After the restore")
	w.agree(30 * time.Second)
}
