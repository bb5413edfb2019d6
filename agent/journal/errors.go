package journal

import "errors"

// Errors that a journal answers with, always wrapped with what was being done.
var (
	// ErrDamaged: the file is no sound journal. It is never replaced or mended
	// silently; the error names it and says what to do.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrLocked: another process has the journal open.
	ErrLocked = errors.New("the journal is in use by another process: another agent runs with the same data directory; stop it, or ask it over its control socket")
	// ErrNewer: a later version of the program wrote the file.
	ErrNewer = errors.New("the journal was written by a later version; update this program")
	// ErrFull: nothing of what was to be written was acknowledged; writes
	// succeed again once there is room.
	ErrFull = errors.New("disk full: nothing was acknowledged; free some space")
	// ErrClosed: the writer has ended.
	ErrClosed = errors.New("the journal is closed")
	// ErrReadOnly: the journal was opened only to be read.
	ErrReadOnly = errors.New("the journal is open for reading only")
	// ErrGap: changes do not go on from what is held; ask again from there.
	ErrGap = errors.New("changes do not go on from what is held")
	// ErrDiverged: the center knows other entries under this epoch's numbers, so
	// this file was restored from a copy or cloned; start a new epoch.
	ErrDiverged = errors.New("the center knows other entries under these numbers")
)
