package api

import (
	"context"
	"errors"
	"io"
	"time"
)

// Importer is what the API asks of the part that imports. Errors of roster, and
// those below, are told to people; anything else is the center's own trouble.
type Importer interface {
	// Import carries out one import. One that failed or waits is a Run and no error.
	Import(ctx context.Context, source string, o ImportOrder) (Run, error)
	// Progress is how far an import under way has come, false if none is.
	Progress(source string) (ImportProgress, bool)
	// Settings changes the settings of a CSV source as the roster keeps them;
	// none are the defaults.
	Settings(kept []byte, change CSVChange) ([]byte, error)
	History
}

// History tells of imports.
type History interface {
	// Runs are those of a source before a number, newest first, effects and errors
	// left out; before 0 begins with the newest.
	Runs(ctx context.Context, source string, before uint64, limit int) ([]Run, error)
	// Run is one of them, whole; number 0 is the last that was carried out.
	Run(ctx context.Context, source string, number uint64) (Run, error)
	// Status tells how every source that was added stands.
	Status(ctx context.Context) ([]SourceStatus, error)
}

// ImportOrder is one import that somebody asks for.
type ImportOrder struct {
	Dry         bool
	SkipBadRows bool
	Confirm     uint64 // a waiting run to carry out
	Force       bool   // also if the file is the one of the last run
	Try         *CSVChange
	// Content is the file, sent from outside; nil is the source's own file.
	Content  io.Reader
	FileName string
	Modified *time.Time
	By       string
}

// Errors that an Importer wraps.
var (
	// ErrBusy: an import of the source is under way.
	ErrBusy = errors.New("an import is under way")
	// ErrConfirm: the run cannot be confirmed.
	ErrConfirm = errors.New("run cannot be confirmed")
	// ErrNoFile: the source has no file of its own and none was sent.
	ErrNoFile = errors.New("no file")
)

// Outbox is what the API asks of the part that sends mail.
type Outbox interface {
	// Mails are those that wait, oldest first.
	Mails(ctx context.Context) ([]Mail, error)
	// Resend tries a mail again that was given up on, or may have been sent.
	Resend(ctx context.Context, id uint64) error
	// Drop takes a mail out without sending it.
	Drop(ctx context.Context, id uint64) error
}
