// Package journal is a site's memory: what happened there, what the center has
// said, what each reader was last known to hold, and what the center has still
// to be told, in one file and one transaction per effect.
package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"doorsync/protocol/wire"
)

// Journal is the open journal of a site. It is safe for use by several
// goroutines.
type Journal struct {
	path  string
	opts  Options
	log   *slog.Logger
	codec *wire.Codec
	db    *bbolt.DB

	// What is known without the file. It is replaced, never changed, and only
	// after the commit that made it true returned nil.
	mem atomic.Pointer[memory]

	queue    chan *request
	turn     sync.Mutex  // held by who commits; guards the five below
	stale    bool        // the last commit failed, read memory from the file
	owed     bool        // memory has a confirmation that the file lacks
	pendings *pendings   // nil: to be read from the file
	writing  bool        // Run runs and has not been told to end
	broken   chan error  // tells Run of damage that a caller met
	quiet    atomic.Bool // the last commit was of one request
	running  atomic.Bool
	closing  chan struct{} // closed by Close
	stopped  chan struct{} // closed when the writer has ended
	shut     sync.Once
	watchers watchers

	// failCommit, set by tests, stands for a disk that fails.
	failCommit func() error
	// keep is how many bytes of pending edits the writer keeps.
	keep int
}

// Open opens or creates a site's journal for the agent. The file is locked
// against other processes until Close.
func Open(path string, o Options) (*Journal, error) {
	j, err := open(path, o, false)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return j, nil
}

// OpenReadOnly opens a journal for reading while no agent runs.
func OpenReadOnly(path string, o Options) (*Journal, error) {
	j, err := open(path, o, true)
	if err != nil {
		return nil, fmt.Errorf("open journal for reading: %w", err)
	}
	return j, nil
}

func open(path string, o Options, readOnly bool) (*Journal, error) {
	if o.Site == "" && !readOnly {
		return nil, errors.New("the name of the site is missing")
	}
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, opts: o.withDefaults(), codec: codec, keep: maxPending}
	j.log = j.opts.Logger
	j.queue, j.broken = make(chan *request, maxGroup), make(chan error, 1)
	j.closing, j.stopped = make(chan struct{}), make(chan struct{})
	j.watchers.appended = make(chan struct{}, 1)
	err = j.guard(func() error { return j.openFile(readOnly) })
	if err == nil {
		err = j.guard(j.load)
	}
	if err != nil {
		if j.db != nil {
			err = errors.Join(err, j.db.Close())
		}
		return nil, err
	}
	j.release()
	return j, nil
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Retain <= 0 {
		o.Retain = DefaultRetain
	}
	if o.LockWait <= 0 {
		o.LockWait = time.Second
	}
	return o
}

// openFile opens the database, after its pages were found sound: bbolt panics
// over some that are not, on a goroutine of its own where nobody can catch it.
func (j *Journal) openFile(readOnly bool) error {
	info, err := os.Stat(j.path)
	if errors.Is(err, os.ErrNotExist) && !readOnly {
		if err := j.create(); err != nil {
			return err
		}
	} else if err != nil {
		return err
	} else if info.Size() == 0 {
		return j.damaged(errors.New("the file is empty"))
	}
	// The lock first: the pages of a running agent change while one looks.
	if err := j.openStore(true); err != nil {
		return err
	}
	if err := checkPages(j.path); err != nil {
		return j.damaged(err)
	}
	if readOnly {
		return nil
	}
	if err := j.db.Close(); err != nil {
		return err
	}
	return j.openStore(false)
}

func (j *Journal) openStore(readOnly bool) error {
	db, err := bbolt.Open(j.path, 0o600, &bbolt.Options{
		Timeout: j.opts.LockWait, ReadOnly: readOnly,
		NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%s: %w", j.path, ErrLocked)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return j.damaged(err)
	case err != nil:
		return j.orDamaged(err)
	}
	j.db = db
	return nil
}

// orDamaged says that the file is damaged if that is why it cannot be opened.
func (j *Journal) orDamaged(err error) error {
	if _, isPath := errors.AsType[*os.PathError](err); isPath {
		return err
	}
	if bad := checkPages(j.path); bad != nil {
		return j.damaged(bad)
	}
	return err
}

// pageSize of new journals. Pages of 4 KiB hold three users: a first copy and
// edits as they arrive take a sixth more of the processor; with 16 KiB they take
// little less, and a lone edit writes twice as much.
const pageSize = 8 << 10

// create makes a new journal beside its place and moves it there when it is
// whole: a file in that place that is not a journal is always damage.
func (j *Journal) create() error {
	made := j.path + ".new"
	if err := os.Remove(made); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := bbolt.Open(made, 0o600, &bbolt.Options{PageSize: pageSize, Timeout: j.opts.LockWait, NoFreelistSync: true})
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(j.layOut), db.Close()); err != nil {
		return err
	}
	if err := os.Rename(made, j.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(j.path))
}

// syncDir makes the new name durable. Not every system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil && runtime.GOOS != "windows" {
		return errors.Join(err, d.Close())
	}
	return d.Close()
}

// Close ends the writer if it runs, after it has committed what waits, and
// closes the file.
func (j *Journal) Close() error {
	j.shut.Do(func() {
		close(j.closing)
		if !j.running.CompareAndSwap(false, true) {
			<-j.stopped
		} else {
			close(j.stopped)
		}
	})
	if err := j.db.Close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
