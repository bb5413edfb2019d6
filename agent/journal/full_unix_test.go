//go:build unix

package journal

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"doorsync/protocol"
)

// fillUp writes until there is no room, then makes room and goes on. A limit on
// the size of files stands for the disk.
func fillUp(path string) error {
	ctx := context.Background()
	signal.Ignore(syscall.SIGXFSZ)
	j, err := Open(path, Options{Site: "north"})
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- j.Run(ctx) }()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	small := limit
	small.Cur = 1 << 20
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	entry := func(n int) error {
		_, err := j.Append(ctx, Batch{Drafts: []Draft{{Event: protocol.EventUpdatedReader, Edit: &protocol.Edit{
			UserID: fmt.Sprint(n), Values: map[protocol.Field]protocol.Value{"custom:note": protocol.Text(strings.Repeat("x", 20_000))},
		}}}})
		return err
	}
	n := 0
	for err = entry(n); err == nil; err = entry(n) {
		n++
	}
	if !errors.Is(err, ErrFull) || n == 0 {
		return fmt.Errorf("after %d entries: %w", n, err)
	}
	full := j.State()
	if int(full.Last) != n {
		return fmt.Errorf("%d acknowledged and the last is %d", n, full.Last)
	}
	if _, ok, err := j.User("0"); !ok || err != nil {
		return fmt.Errorf("reading while full: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := entry(n); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	r, err := j.Verify(ctx, nil)
	if err != nil || len(r.Faults) > 0 || int(r.Entries) != n+1 {
		return fmt.Errorf("%+v: %w", r, err)
	}
	if err := j.Close(); err != nil {
		return err
	}
	return <-ran
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	if err := victim(t, "fill", path).Run(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, Options{}).sound()
}
