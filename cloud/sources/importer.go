package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// Errors of requests that are not carried out, and of which no run is kept;
// match with errors.Is. An unknown source is roster.ErrNotFound.
var (
	// ErrBusy: an import of the source is under way.
	ErrBusy = errors.New("an import of this source is under way")
	// ErrConfirm: the run to confirm does not wait, or waits for another file.
	ErrConfirm = errors.New("run cannot be confirmed")
	// ErrNoFile: the source has no file of its own and no contents were sent.
	ErrNoFile = errors.New("the source has no file")
)

// Notifier tells people about runs; the mail to the contacts is one.
type Notifier interface {
	// Notify is called once for each event, after it was kept as a run.
	Notify(ctx context.Context, n Notice) error
}

// Notice is what a Notifier tells: Report.State is failed, waiting or overdue.
type Notice struct {
	Contacts []string // of the source; empty: the ones of the configuration
	Report   Report
	// Last is when a run was completed last; zero if none ever was.
	Last time.Time
}

// Mailer writes the mail to people who come and go.
type Mailer interface {
	// Mail returns the mail as the outbox keeps it, nil for none. It is asked only
	// for sources that notify, inside the transaction, and never on a dry run.
	Mail(source protocol.Source, e roster.Effect, u protocol.User, language string) []byte
}

// Options are what an Importer needs. Roster and Dir are required.
type Options struct {
	Roster Roster
	// Dir is for the files that an import needs while it runs. They hold what the
	// source says, PINs included, are readable by the owner alone, and are removed
	// with the import, or after a crash when the next importer is made.
	Dir      string
	Now      func() time.Time // for reports; time.Now if nil
	Logger   *slog.Logger
	Notifier Notifier // nil: nobody is told
	Mailer   Mailer   // nil: no mail to people who come and go
	// Poll is how often the center looks at files, 5 s if 0.
	Poll time.Duration
}

// Importer imports sources. It is safe for use by several goroutines.
type Importer struct {
	o    Options
	now  func() time.Time
	log  *slog.Logger
	heap chan struct{} // one import at a time holds the memory that imports take

	mu        sync.Mutex
	busy      map[protocol.Source]*running
	histories map[protocol.Source]history
}

// Request is one import that somebody asks for.
type Request struct {
	// Dry computes everything and changes nothing; it is not kept as a run.
	Dry bool
	// SkipBadRows takes in the other rows; the source's settings may say so too.
	SkipBadRows bool
	// Confirm is the number of a waiting run that is to be carried out, if the
	// contents are still the same.
	Confirm uint64
	// Force imports a file again that is the same as the last one.
	Force bool
	// Settings are tried instead of the source's own; only on a dry run.
	Settings *Settings
	// Content is the file's contents, sent from outside; nil: the source's own file.
	Content  io.Reader
	FileName string     // of Content, for the report
	Modified *time.Time // of Content, if known
	By       string     // who asks; "" is the schedule
}

// New makes an importer and clears its directory of what a crash left behind.
func New(o Options) (*Importer, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Poll == 0 {
		o.Poll = 5 * time.Second
	}
	if err := sweep(o.Dir); err != nil {
		return nil, fmt.Errorf("directory of imports: %w", err)
	}
	return &Importer{
		o: o, now: o.Now, log: o.Logger, heap: make(chan struct{}, 1), busy: map[protocol.Source]*running{},
		histories: map[protocol.Source]history{},
	}, nil
}

// prefix begins the names of an import's own files.
const prefix = "import-"

// sweep makes the directory and removes what imports left in it.
func sweep(dir string) error {
	if dir == "" {
		return errors.New("none was given")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(dir, prefix+"*"))
	if err != nil {
		return err
	}
	for _, f := range left {
		if err := os.RemoveAll(f); err != nil {
			return err
		}
	}
	return nil
}
