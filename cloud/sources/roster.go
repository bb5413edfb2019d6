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
	Import(ctx context.Context, a roster.Actor, in roster.Import) (roster.Counts, error)
}

// Runs keeps what was run.
type Runs interface {
	PutRun(ctx context.Context, row roster.RunRow) error
	// Runs are those of a source, newest first. fn returns false to stop.
	Runs(ctx context.Context, s protocol.Source, fn func(roster.RunRow) bool) error
}
