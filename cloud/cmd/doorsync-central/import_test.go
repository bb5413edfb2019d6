package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestAFileThatGrowsIsNotSent: an export that is still being written must not be
// taken for the whole.
func TestAFileThatGrowsIsNotSent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.csv")
	if err := os.WriteFile(path, []byte("a,b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(whole{file, info}); err != nil || string(b) != "a,b\n" {
		t.Errorf("of a file at rest: %q, %v", b, err)
	}
	if _, err := file.WriteString("c,d\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(whole{file, info}); !errors.Is(err, errChanged) {
		t.Errorf("of a file that grew: %v", err)
	}
}
