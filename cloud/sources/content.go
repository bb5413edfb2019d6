package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// errGrowing: the file was written to while it was read.
var errGrowing = errors.New("it is still being written")

// content is a copy of a file, which nobody changes while it is imported, and for
// which whoever exports it need not wait.
type content struct {
	file     *os.File
	name     string
	size     int64
	sum      string
	modified *time.Time
}

// patience is how long is waited before a file is tried again that is not there,
// locked, or still being written: exports take it away for a moment.
func patience(err error) []time.Duration {
	waits := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}
	if errors.Is(err, fs.ErrNotExist) {
		return waits[:3]
	}
	return waits
}

// copyFile copies a source's own file into dir.
func copyFile(ctx context.Context, name, dir string) (*content, error) {
	for try := 0; ; try++ {
		c, err := copyOnce(ctx, name, dir)
		if err == nil || ctx.Err() != nil {
			return c, err
		}
		waits := patience(err)
		if try >= len(waits) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(waits[try]):
		}
	}
}

func copyOnce(ctx context.Context, name, dir string) (*content, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // read only
	before, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", name)
	}
	c, err := copyFrom(ctx, in, dir)
	if err != nil {
		return nil, err
	}
	after, err := os.Stat(name)
	if err == nil && (after.Size() != c.size || before.Size() != c.size || !after.ModTime().Equal(before.ModTime())) {
		err = errGrowing
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	modified := after.ModTime().UTC()
	c.name, c.modified = name, &modified
	return c, nil
}

// copyFrom copies what is sent into dir.
func copyFrom(ctx context.Context, in io.Reader, dir string) (*content, error) {
	out, err := os.CreateTemp(dir, "file-*")
	if err != nil {
		return nil, err
	}
	c := &content{file: out}
	hash := sha256.New()
	c.size, err = io.CopyBuffer(io.MultiWriter(out, hash), &contextReader{ctx, in}, make([]byte, 256<<10))
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.sum = hex.EncodeToString(hash.Sum(nil))
	return c, nil
}

func (c *content) close() error {
	return errors.Join(c.file.Close(), os.Remove(c.file.Name()))
}

// contextReader ends a long copy with its context.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(b)
}

// fileTrouble says in words why a file could not be copied, and what to do.
func fileTrouble(name string, err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s is not there; check the export, and the file that is set for the source", name)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s cannot be read: the account under which the center runs may not; give it the right to read the file and its folder (%v)", name, err)
	case errors.Is(err, errGrowing):
		return fmt.Sprintf("%s is still being written; it is tried again when it has stopped growing", filepath.Base(name))
	default:
		return fmt.Sprintf("%s cannot be read: %v", name, err)
	}
}
