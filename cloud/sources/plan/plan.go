package plan

import (
	"context"
	"errors"

	"doorsync/cloud/roster"
	"doorsync/cloud/sources/spool"
)

// Known is what the roster knows, in one snapshot: roster.Survey.
type Known interface {
	// Named are all whom the source names after an identity, in order of identity.
	Named(after roster.Identity, fn func(roster.SourceUser) bool) error
	// NamedBy are the rows of this source that name a user.
	NamedBy(guid string) ([]roster.SourceUser, error)
	// Keys are all rows of a hash or later ones, in order of hash.
	Keys(from roster.KeyHash, fn func(roster.KeyRow) bool) error
	KeyHolders(k roster.KeyHash) ([]string, error)
	// Candidate is the user, merges followed, if it has the value of the key.
	Candidate(guid string, k roster.Key, value string) (roster.Candidate, bool, error)
}

// File is a file whose rows were read.
type File struct {
	Rows *spool.Rows
	// Index has a record for each row: see IndexRecord.
	Index *spool.Sorter
}

// Bad is the row number of a row that could not be kept but whose identity is known.
const Bad = 1<<64 - 1

// IndexRecord finds a row by its identity. The row of Bad is none of Rows, it
// keeps whom it names as they are.
func IndexRecord(id roster.Identity, row uint64, digest uint64) spool.Record {
	hi, lo := words(id)
	return spool.Record{hi, lo, row, digest}
}

// Options of a plan.
type Options struct {
	Dir  string       // for files
	Keys []roster.Key // by which new rows are associated
	// KeepLost: nobody counts as gone, because rows could not be read that may name
	// anybody.
	KeepLost bool
	// Chunk is how many records are sorted in memory; spool.DefaultChunk if 0.
	Chunk int
	// Few is up to how many values are looked up one by one instead of walking
	// through all keys; 20,000 if 0.
	Few int
	// Undecided is told of every row that has several candidates, in order of line.
	Undecided func(roster.Effect)
}

// Plan is what an import is to do.
type Plan struct {
	Known     int // rows that the source named before
	Changed   int // of them, those that say something else
	Lost      int // of them, those that are not in the file
	Gone      int // people of whom the file has no row any more
	Unchanged int // rows that say what they said
	New       int // rows that were not known
	Undecided int // of them, those that have several candidates
	Held      int // rows that keep whom they name as they are, because they are wrong

	ctx  context.Context
	o    Options
	file File
	know Known

	fresh   spool.Bits // rows the source did not name before
	touched spool.Bits // rows that say something else than before
	pinned  spool.Bits // rows of whom a person decided that they are nobody known
	stuck   spool.Bits // fresh rows that nothing is done about
	emit    spool.Bits // first rows of people about whom something is new
	groups  *spool.Groups

	named  *marks // GUIDs that the source names
	twice  *marks // of them, those that it names by several rows, and perhaps some more
	wanted *marks // GUIDs all of whose rows are wanted
	again  bool   // wanted has any

	ties  *spool.Sorter // see tie
	same  *spool.Sorter // ties of tieSame
	links *spool.Sorter // a new row, a changed row, the key that both say: place of it
	facts *spool.Sorter // see fact
}

// Make tells people apart. The plan keeps files until it is closed; file must not
// be closed before it.
func Make(ctx context.Context, know Known, file File, o Options) (*Plan, error) {
	if o.Few == 0 {
		o.Few = 20_000
	}
	if o.Undecided == nil {
		o.Undecided = func(roster.Effect) {}
	}
	n := file.Rows.Len()
	p := &Plan{
		ctx: ctx, o: o, file: file, know: know, groups: spool.NewGroups(n),
		fresh: spool.NewBits(n), touched: spool.NewBits(n), pinned: spool.NewBits(n), stuck: spool.NewBits(n), emit: spool.NewBits(n),
		named: newMarks(), twice: newMarks(), wanted: newMarks(),
		ties: spool.NewSorter(o.Dir, o.Chunk), same: spool.NewSorter(o.Dir, o.Chunk),
		links: spool.NewSorter(o.Dir, o.Chunk), facts: spool.NewSorter(o.Dir, o.Chunk),
	}
	for _, step := range []func() error{p.join, p.associate, p.ties.Sort, p.rest, p.unite, p.establish, p.facts.Sort, p.decide} {
		if err := step(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
		if err := ctx.Err(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	p.know = nil // the snapshot ends
	return p, nil
}

// Close removes the plan's files.
func (p *Plan) Close() error {
	return errors.Join(p.ties.Close(), p.same.Close(), p.links.Close(), p.facts.Close())
}

// Touched is how many people the source knows whom the import would change or
// remove, as the guard counts them.
func (p *Plan) Touched() int { return p.Changed + p.Gone }
