package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// smallDisk mounts a disk of so many MiB.
func smallDisk(ctx context.Context, dir string, size int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("mount a small disk: %w", err)
	}
	return run(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm,mode=0700", size), "tmpfs", dir)
}

func filler(dir string) string { return filepath.Join(dir, "filler") }

// fill writes until nothing more fits; room takes that away again.
func fill(dir string) (err error) {
	f, err := os.OpenFile(filler(dir), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("fill the disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for block := make([]byte, 1<<20); len(block) > 0; {
		switch _, err := f.Write(block); {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/16]
		case err != nil:
			return fmt.Errorf("fill the disk: %w", err)
		}
	}
	return nil
}

func room(dir string) error { return os.Remove(filler(dir)) }
