package sqlstore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"

	"doorsync/cloud/roster"
)

// reserve is a file that takes up room until the disk is full. SQLite needs
// room even to tidy up; freeing the reserve gives it some. Until the reserve
// can be made again, the disk counts as full.
type reserve struct {
	path string
	size int64
	held bool
}

func newReserve(database string, size int64) *reserve {
	return &reserve{path: database + ".reserve", size: cmp.Or(size, 4<<20)}
}

// ready holds the reserve, or says that the disk is full.
func (r *reserve) ready() error {
	if r.held {
		return nil
	}
	if info, err := os.Stat(r.path); err == nil && info.Size() >= r.size {
		r.held = true
		return nil
	}
	if err := r.write(); err != nil {
		_ = os.Remove(r.path)
		return fmt.Errorf("%w (no room for %s): make room, it goes on by itself: %w", roster.ErrFull, r.path, err)
	}
	r.held = true
	return nil
}

// write fills the file with noise: some file systems give no blocks to zeros.
func (r *reserve) write() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{1})
	block := make([]byte, 64<<10)
	for left := r.size; left > 0 && err == nil; left -= int64(len(block)) {
		block = block[:min(int64(len(block)), left)]
		_, _ = noise.Read(block) // never fails
		_, err = f.Write(block)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// free gives the room back.
func (r *reserve) free() error {
	r.held = false
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
