package sources

import (
	"context"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Roster is what an importer needs of the roster.
type Roster interface {
	Applier
	Runs
}

// Applier tells people apart and takes in what a source says.
type Applier interface {
	SourceRows() []roster.SourceRow
	CheckField(f protocol.Field, v protocol.Value) error
	Survey(ctx context.Context, s protocol.Source, fn func(*roster.Survey) error) error
	Import(ctx context.Context, a roster.Actor, in roster.Import) (roster.Counts, error)
}

// Runs keeps what was run.
type Runs interface {
	PutRun(ctx context.Context, row roster.RunRow) error
	// Runs are those of a source, newest first. fn returns false to stop.
	Runs(ctx context.Context, s protocol.Source, fn func(roster.RunRow) bool) error
	// RunOf is one run; roster.ErrNotFound if there is none.
	RunOf(ctx context.Context, s protocol.Source, number uint64) (roster.RunRow, error)
}

// The roster is both.
var _ Roster = (*roster.Roster)(nil)
