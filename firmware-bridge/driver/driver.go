// Package driver is the contract between doorsync and everything that knows a
// reader's bytes. It is small on purpose: what every reader can do is required,
// what only some can do is an interface of one method, asked for by type.
package driver

import (
	"context"
	"errors"
	"time"

	"doorsync/protocol"
)

// Driver makes sessions with readers of one dialect.
type Driver interface {
	// Open connects to the reader and learns what it is. The session must be
	// closed; a reader that takes one client at a time is free again then.
	Open(ctx context.Context) (Session, error)
}

// Session is an open connection to one reader. One goroutine uses it at a time,
// Watch apart, which its capability says how to stop.
type Session interface {
	// Info tells what the reader is, as learned while opening.
	Info() Info
	// List reads the reader's whole table, in no particular order. It returns
	// every row or an error: a table that came short is an error
	// (ErrIncomplete), never a shorter table.
	List(ctx context.Context) ([]Row, error)
	// Put writes rows, each new or in place of the one with its key. Rows are
	// in projected form. A reader that refuses one row says so in the Results,
	// one for each row in order; the error is for what concerns them all.
	Put(ctx context.Context, rows []Row) (Results, error)
	// Delete removes rows by key. Removing what is not there is no error.
	Delete(ctx context.Context, keys []string) (Results, error)
	// Close ends the session within a few seconds, also when the line is dead.
	Close() error
}

// Results holds one outcome for each row of a request, nil for done.
type Results []error

// Projector knows, without a connection, what a model can hold of a user. Every
// Session is one, since some limits are learned from the reader.
type Projector interface {
	// Project returns the rows that hold the user in this reader, in the very
	// form in which List gives them back, and what had to be left out. A user
	// for whom the reader has no room at all has no rows.
	Project(u protocol.User) ([]Row, []LeftOut)
}

// Watcher is a reader that tells of changes as they happen.
type Watcher interface {
	// Watch calls notify for every sign of a change until ctx ends or the
	// connection breaks. It may run beside the session's other methods.
	Watch(ctx context.Context, notify func(Notice)) error
}

// Logger is a reader whose log can be read on from where it was left.
type Logger interface {
	// ReadLog returns what came after cursor (nil: from now on) and the cursor
	// to go on from. Gap tells that entries were lost in between.
	ReadLog(ctx context.Context, cursor []byte) (Log, error)
}

// Getter is a reader that can show the rows of one user without the whole table.
type Getter interface {
	// Get returns the rows with the given keys that exist.
	Get(ctx context.Context, keys []string) ([]Row, error)
}

// Clock is a reader with a clock that can be set.
type Clock interface {
	// SetTime sets the reader's clock to the local wall time of t.
	SetTime(ctx context.Context, t time.Time) error
}

// Pinger is a reader whose idle connection must be kept alive.
type Pinger interface {
	// Ping fails when the reader no longer answers.
	Ping(ctx context.Context) error
}

// Info is what a reader told about itself.
type Info struct {
	Model    string // as the reader names it
	Serial   string // the reader's own number, shown as reader ID
	Firmware string
	Users    int // rows held now, -1 if the reader does not say
	Capacity int // rows it has room for, 0 if it does not say
}

// Row is one row of a reader's own table, in the form that reader can hold.
type Row struct {
	Key   string        `cbor:"key"`             // unique in the table, stable: the user ID, or card:<number>
	User  protocol.User `cbor:"user"`            // ID is "" in a table without user IDs; groups are never set
	Doors map[int]uint8 `cbor:"doors,omitempty"` // door -> permission, for tables that hold it
}

// LeftOut is something of a user that a reader cannot hold, and why.
type LeftOut struct {
	Field      protocol.Field         // set for a value
	Credential protocol.CredentialKey // set for a credential
	Reason     string                 // for people: "cut to 23 bytes", "no room for a second card"
}

// NoticeKind says what a reader noticed.
type NoticeKind string

// Kinds of notice. A driver that cannot tell says NoticeChanged.
const (
	NoticeChanged NoticeKind = "changed"  // something changed: read the table, or Key's row
	NoticeUnknown NoticeKind = "unknown"  // an unknown card was presented
	NoticeEntered NoticeKind = "accessed" // somebody was let in or turned away
)

// Notice is a sign of life from a reader.
type Notice struct {
	Kind   NoticeKind
	Key    string    // the row concerned, "" if the reader does not say
	At     time.Time // the reader's own clock, zero if it does not say
	Detail string    // for people, never a secret
}

// Log is what a reader's log held after a cursor.
type Log struct {
	Notices []Notice
	Cursor  []byte // to go on from; opaque
	Gap     string // what was lost, for people; "" if nothing was
}

// Errors that drivers wrap.
var (
	// ErrIncomplete: the reader sent less than it announced; nothing may be
	// concluded from what came.
	ErrIncomplete = errors.New("the reader's table came incomplete")
	// ErrFull: the reader has no room for another row.
	ErrFull = errors.New("the reader is full")
	// ErrRefused: the reader answered and said no; the same write will not do
	// better a second time.
	ErrRefused = errors.New("the reader refused")
	// ErrAuth: the reader asks for a communication key, or for another one.
	ErrAuth = errors.New("the reader refused the communication key")
	// ErrBusy: another client holds the reader's only session.
	ErrBusy = errors.New("the reader is in use by another program")
	// ErrClosed: the session was closed.
	ErrClosed = errors.New("the session is closed")
)
