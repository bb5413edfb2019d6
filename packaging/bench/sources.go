package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Site A sees only whom it enrolls and who is in a group of its own, so that
// what is measured is the center's.
const (
	benchGroup  = "bench"
	firstNumber = 100_000 // the user ID that the first person of the first import is given
)

// sources measures imports of a large export, and what a new order of sources
// means to edits that come from a site meanwhile, with a center of its own.
type sources struct {
	*bench
	center *center
	site   *site
	shell  shell
	file   string
	raw    []float64 // seconds of the sqlite3 shell at the same work
}

func (b *bench) importAndOrder(ctx context.Context, bin string) (err error) {
	if b.rows == 0 {
		return nil
	}
	dir := filepath.Join(b.dir, "sources")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s := &sources{bench: b, shell: shell{dir: dir}, file: filepath.Join(dir, "people.csv")}
	if s.center, err = startCenter(ctx, bin, dir, []siteSettings{{name: "A", rest: ", mode: groups, groups: [" + benchGroup + "]"}}); err != nil {
		return err
	}
	if s.site, err = startSite(ctx, s.center, "A", dir, true); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{s.first, s.update, s.oneRow, s.reorder} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return errors.Join(s.site.close(), s.center.stop())
}

// first imports everybody into an empty roster.
func (s *sources) first(ctx context.Context) error {
	if err := export(s.file, s.rows, 1); err != nil {
		return err
	}
	if err := s.shell.prepare(ctx, s.file); err != nil {
		return err
	}
	if err := s.shellTakes(ctx); err != nil {
		return err
	}
	if err := s.central(ctx, "sources", "add", "csv", "hr", "--file", s.file, "--interval", "0"); err != nil {
		return err
	}
	took, err := s.imports(ctx, "hr")
	if err != nil {
		return err
	}
	raw := median(s.raw)
	s.add(figure{Name: "csv-first-1m", Value: took, Unit: "s", Baseline: raw, Bar: "<= 5 x sqlite3 shell", OK: took <= 5*raw})
	return nil
}

// updates is how often the update is measured; the median counts.
const updates = 3

// update imports the export again, a hundredth of it changed.
func (s *sources) update(ctx context.Context) error {
	if err := resetPeak(s.center.cmd.Process.Pid); err != nil {
		return err
	}
	var all []float64
	for i := range updates {
		if err := export(s.file, s.rows, i+2); err != nil {
			return err
		}
		if err := s.shellTakes(ctx); err != nil {
			return err
		}
		took, err := s.imports(ctx, "hr")
		if err != nil {
			return err
		}
		all = append(all, took)
	}
	peak, err := mebibytes(s.center.cmd.Process.Pid, "VmHWM")
	if err != nil {
		return err
	}
	took, raw := median(all), median(s.raw)
	s.add(figure{Name: "csv-update-1m", Value: took, Unit: "s", Baseline: raw, Bar: "<= 3 x sqlite3 shell", OK: took <= 3*raw})
	s.add(figure{Name: "csv-rss", Value: peak, Unit: "MiB", Bar: "< 512 MiB", OK: peak < 512})
	return nil
}

// oneRow measures how soon a change of one row is at a site, from the end of the
// import. The group lets the site see that one person.
func (s *sources) oneRow(ctx context.Context) error {
	if err := s.central(ctx, "users", "put", strconv.Itoa(firstNumber), "--group", benchGroup); err != nil {
		return err
	}
	sub := s.site.j.Subscribe()
	defer sub.Close()
	if err := s.site.await(ctx, sub, firstNumber); err != nil {
		return err
	}
	b, err := os.ReadFile(s.file)
	if err != nil {
		return err
	}
	before := fmt.Sprintf("Renamed0E%d,", updates+1)
	if err := os.WriteFile(s.file, []byte(strings.Replace(string(b), before, "Changed,", 1)), 0o600); err != nil {
		return err
	}
	if _, err := s.imports(ctx, "hr"); err != nil {
		return err
	}
	start := time.Now()
	if err := s.site.awaitName(ctx, sub, firstNumber, "First0 Changed"); err != nil {
		return err
	}
	took := time.Since(start).Seconds()
	s.add(figure{Name: "csv-change", Value: took, Unit: "s", Bar: "<= 1 s", OK: took <= 1})
	return nil
}

// reorder lets a second export name everybody otherwise, and puts it first while
// a site makes edits one after another: how long the longest of them waited.
func (s *sources) reorder(ctx context.Context) error {
	second := filepath.Join(filepath.Dir(s.file), "badges.csv")
	if err := export(second, s.rows, 100); err != nil {
		return err
	}
	if err := s.central(ctx, "sources", "add", "csv", "badges", "--file", second, "--interval", "0"); err != nil {
		return err
	}
	if _, err := s.imports(ctx, "badges"); err != nil {
		return err
	}
	if err := s.quiet(ctx); err != nil {
		return err
	}
	var g errgroup.Group
	edits, stop := context.WithCancel(ctx)
	var waits []time.Duration
	g.Go(func() (err error) {
		waits, err = s.edits(edits)
		return err
	})
	start := time.Now()
	err := s.central(ctx, "sources", "order", "badges", "office", "hr", "readers")
	took := time.Since(start)
	stop()
	if err := errors.Join(g.Wait(), err); err != nil {
		return err
	}
	longest := quantile(waits, 1)
	s.add(figure{Name: "priority-1m", Value: longest, Unit: "ms", Bar: "<= 100 ms", OK: longest <= 100})
	fmt.Fprintf(s.out, "%-16s all computed anew in %.1f s; %d edits meanwhile, p50 %.1f ms\n", "", took.Seconds(), len(waits), quantile(waits, 0.5))
	return nil
}

// quiet waits until the center writes no more: after a large import its store moves
// the log, which is the import's doing and not what is measured next.
func (s *sources) quiet(ctx context.Context) error {
	for last, end := int64(-1), time.Now().Add(patience); time.Now().Before(end); {
		now, err := written(s.center.cmd.Process.Pid)
		if err != nil || now == last {
			return err
		}
		last = now
		if err := wait(ctx, time.Second); err != nil {
			return err
		}
	}
	return fmt.Errorf("the center still writes after %v", patience)
}

// edits enrolls one after another at the site until ctx ends, and returns how
// long each took to be confirmed by the center.
func (s *sources) edits(ctx context.Context) ([]time.Duration, error) {
	var out []time.Duration
	look := time.NewTicker(200 * time.Microsecond)
	defer look.Stop()
	for id := 1; ; id++ {
		start := time.Now()
		if err := s.site.enroll(ctx, id); err != nil {
			return out, ended(err)
		}
		for want := s.site.j.State().Last; s.site.j.State().Confirmed < want; {
			select {
			case <-look.C:
			case <-ctx.Done():
				return out, nil
			}
		}
		out = append(out, time.Since(start))
	}
}

// imports runs an import as the task scheduler would, and returns its seconds.
func (s *sources) imports(ctx context.Context, name string) (float64, error) {
	start := time.Now()
	err := s.central(ctx, "import", name)
	return time.Since(start).Seconds(), err
}

func (s *sources) shellTakes(ctx context.Context) error {
	took, err := s.shell.compare(ctx, s.file)
	s.raw = append(s.raw, took.Seconds())
	return err
}

func (s *sources) central(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, s.center.cmd.Path, append(args, "--config", s.center.conf)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("doorsync-central %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// written is how many bytes a process has had written to disk.
func written(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("no write_bytes of process %d", pid)
}

// resetPeak lets the kernel count the most memory of a process anew.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}
