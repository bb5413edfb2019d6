// Package sqlstore keeps a roster in one SQLite file.
package sqlstore

import (
	"context"

	"doorsync/cloud/roster"
)

// Open opens the database file, or begins one where there is none.
func Open(ctx context.Context, path string, o Options) (*Store, error) { panic("stub") }

// Options tune a Store; the zero Options are good.
type Options struct {
	Readers int   // reading connections, 4 if 0
	Reserve int64 // bytes kept aside for a full disk, 4 MiB if 0
}

// Store is a roster.Store over SQLite.
type Store struct{}

var _ roster.Store = (*Store)(nil)

// Update is roster.Store's.
func (s *Store) Update(ctx context.Context, fn func(roster.Tx) error) error { panic("stub") }

// View is roster.Store's.
func (s *Store) View(ctx context.Context, fn func(roster.View) error) error { panic("stub") }

// Close ends all work and closes the file.
func (s *Store) Close() error { panic("stub") }
