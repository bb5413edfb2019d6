package sources

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/cloud/sources/plan"
	"doorsync/cloud/sources/spool"
)

// taken is a file that was read.
type taken struct {
	detected *csvfile.Description
	file     plan.File
	errors   faults
	rows     int // good and bad
	skipped  int // rows of which something was wrong
	// keepLost: rows were skipped of which nobody knows whom they name.
	keepLost bool
	fatal    bool // the rest of the file could not be read
}

func (t *taken) close() error {
	var errs []error
	if t.file.Rows != nil {
		errs = append(errs, t.file.Rows.Close())
	}
	if t.file.Index != nil {
		errs = append(errs, t.file.Index.Close())
	}
	return errors.Join(errs...)
}

// batch is some rows on their way from the parser to the spool.
type batch struct {
	rows []csvfile.Row
	n    int
}

const (
	batchRows = 256
	batches   = 4
)

// reading parses on one goroutine and spools on another.
type reading struct {
	ctx    context.Context
	check  *checker
	done   *atomic.Int64
	csv    *csvfile.Reader
	taken  *taken
	parsed faults // what the parser found; of its goroutine
	full   chan *batch
	empty  chan *batch
	bad    *badRows
}

// readFile reads all rows into files in dir. What is wrong with rows is in the
// result; what is wrong with the file as a whole is an *csvfile.Error.
func (m *Importer) readFile(ctx context.Context, c *content, f csvfile.Format, dir string, done *atomic.Int64) (*taken, error) {
	if _, err := c.file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	csv, err := csvfile.Open(c.file, f)
	if err != nil {
		return nil, err
	}
	described := csv.Describe()
	t := &taken{detected: &described}
	if t.file.Rows, err = spool.NewRows(dir); err != nil {
		return nil, err
	}
	t.file.Index = spool.NewSorter(dir, 0)
	g, ctx := errgroup.WithContext(ctx)
	r := &reading{
		ctx: ctx, check: newChecker(m.o.Roster.CheckField, &described), done: done, csv: csv, taken: t,
		full: make(chan *batch, batches), empty: make(chan *batch, batches), bad: newBadRows(described),
	}
	for range batches {
		r.empty <- &batch{rows: make([]csvfile.Row, batchRows)}
	}
	g.Go(r.parse)
	g.Go(r.spool)
	if err = g.Wait(); err == nil {
		err = r.finish()
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// parse sends the rows of the file in batches.
func (r *reading) parse() error {
	defer close(r.full)
	for {
		var b *batch
		select {
		case b = <-r.empty:
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
		more, err := r.fill(b)
		if err != nil {
			return err
		}
		select {
		case r.full <- b:
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
		if !more {
			return nil
		}
	}
}

// fill reads rows until the batch is full; more is false at the end of the file.
func (r *reading) fill(b *batch) (more bool, err error) {
	for b.n = 0; b.n < len(b.rows); {
		row := &b.rows[b.n]
		err := r.csv.Next(row)
		var fault *csvfile.Error
		switch {
		case err == nil:
			b.n++
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.As(err, &fault):
			r.parsed.add(*fault)
			if r.bad.fault(fault, row); fault.Fatal {
				return false, nil
			}
		default:
			return false, err
		}
	}
	return true, nil
}

// spool keeps the rows of batches.
func (r *reading) spool() error {
	for b := range r.full {
		for i := range b.n {
			if err := r.keep(&b.rows[i]); err != nil {
				return err
			}
		}
		r.done.Add(int64(b.n))
		select {
		case r.empty <- b:
		case <-r.ctx.Done():
			return r.ctx.Err()
		}
	}
	return nil
}

// keep checks and keeps one row.
func (r *reading) keep(row *csvfile.Row) error {
	t := r.taken
	id := roster.IdentityOf(row.Identity())
	if wrong := r.check.row(row); len(wrong) > 0 {
		for _, e := range wrong {
			t.errors.add(e)
		}
		t.skipped++
		return t.file.Index.Add(plan.IndexRecord(id, plan.Bad, 0))
	}
	digest := row.Digest()
	n, err := t.file.Rows.Add(row, id, digest)
	if err != nil {
		return err
	}
	return t.file.Index.Add(plan.IndexRecord(id, uint64(n), digest))
}

// finish sorts what was read and finds people who are named twice.
func (r *reading) finish() error {
	t := r.taken
	r.bad.end()
	for _, id := range r.bad.named {
		if err := t.file.Index.Add(plan.IndexRecord(id, plan.Bad, 0)); err != nil {
			return err
		}
	}
	if err := errors.Join(t.file.Rows.Done(), t.file.Index.Sort()); err != nil {
		return err
	}
	t.rows = t.file.Rows.Len() + t.skipped + r.bad.lines
	t.skipped += r.bad.lines
	t.keepLost, t.fatal = r.bad.nobody, r.bad.stopped
	t.errors.merge(&r.parsed)
	return t.twice()
}
