package journal

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// Errors that a journal answers with, always wrapped with what was being done.
var (
	// ErrDamaged: the file is no sound journal. It is never replaced or mended
	// silently; the error names it and says what to do.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrLocked: another process has the journal open.
	ErrLocked = errors.New("the journal is in use by another process: another agent runs with the same data directory; stop it, or ask it over its control socket")
	// ErrOlder: a version before the first release wrote the file.
	ErrOlder = errors.New("the journal was written by a version before the first release; move the file away to begin a new one, the center sends the users again")
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
	// ErrMalformed: what was handed in cannot be stored.
	ErrMalformed = errors.New("malformed")
)

// damaged says which file is damaged and what to do about it.
func (j *Journal) damaged(cause error) error {
	if errors.Is(cause, ErrDamaged) {
		return cause
	}
	return fmt.Errorf("%s: %w: %w; stop the agent and keep the file (entries that the center does not have are only there), "+
		"then restore a copy, or move it away and start the agent: it makes a new journal and fetches the users again", j.path, ErrDamaged, cause)
}

// guard turns into ErrDamaged what bbolt does when it meets pages that make no
// sense: it panics, and so does reading memory that the file no longer backs.
// Any other panic is a fault of this program and goes on.
func (j *Journal) guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if !isFault(p) && !panickedInStore() {
			panic(p)
		}
		err = j.damaged(fmt.Errorf("%v", p))
	}()
	return f()
}

// isFault tells a read of unmapped memory from other run-time errors: only it
// knows an address.
func isFault(p any) bool {
	_, ok := p.(interface {
		runtime.Error
		Addr() uintptr
	})
	return ok
}

// panickedInStore looks for the function that panicked: the first below the
// runtime's own.
func panickedInStore() bool {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for below := false; ; {
		f, more := frames.Next()
		inRuntime := strings.HasPrefix(f.Function, "runtime.")
		if f.Function == "runtime.gopanic" {
			below = true
		} else if below && !inRuntime {
			return strings.HasPrefix(f.Function, "go.etcd.io/bbolt")
		}
		if !more {
			return false
		}
	}
}
