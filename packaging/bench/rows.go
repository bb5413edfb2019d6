package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// changedEvery is one of how many rows differ in the second export.
const changedEvery = 100

// export writes a CSV of n invented people, as an access control system exports
// them. From the second edition on, one row of changedEvery differs.
func export(path string, n, edition int) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(w, "First name,Last name,E-mail,ID,Sync ID")
	for i := range n {
		last := fmt.Sprintf("Person%d", i)
		if edition > 1 && i%changedEvery == 0 {
			last = fmt.Sprintf("Renamed%dE%d", i, edition)
		}
		fmt.Fprintf(w, "First%d,%s,person%d@example.org,%d,S%07d\n", i%5000, last, i, 10_000_000+i, i)
	}
	return errors.Join(w.Flush(), f.Close())
}

// shell is the sqlite3 shell at the same work: what it takes to read a file into
// a table and to hold that against a table of the same size.
type shell struct{ dir string }

// prepare makes the table that later files are held against.
func (s shell) prepare(ctx context.Context, file string) error {
	_, err := s.run(ctx, "PRAGMA journal_mode=WAL;\n.import --csv "+file+" known\n")
	return err
}

// compare is timed: the file is imported and joined with the table, and what
// differs is counted.
func (s shell) compare(ctx context.Context, file string) (time.Duration, error) {
	const join = `SELECT count(*) FROM fresh JOIN known ON fresh."Sync ID" = known."Sync ID"
WHERE fresh."First name" <> known."First name" OR fresh."Last name" <> known."Last name"
   OR fresh."E-mail" <> known."E-mail" OR fresh."ID" <> known."ID";
`
	start := time.Now()
	_, err := s.run(ctx, ".import --csv "+file+" fresh\n"+join)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	_, err = s.run(ctx, "DROP TABLE fresh;\n")
	return took, err
}

func (s shell) run(ctx context.Context, script string) (string, error) {
	cmd := exec.CommandContext(ctx, "sqlite3", "-bail", filepath.Join(s.dir, "shell.db"))
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run the sqlite3 shell: %w: %s", err, out)
	}
	return string(out), nil
}
