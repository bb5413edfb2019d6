package notify

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Kind is what a mail is about; its templates carry the name.
type Kind string

// Invite and Removed go to people, the others to the contacts of the office.
const (
	KindInvite  Kind = "invite"  // somebody new
	KindRemoved Kind = "removed" // somebody who was removed
	KindFailure Kind = "failure" // an import changed nothing because of errors
	KindWaiting Kind = "waiting" // an import waits to be confirmed
	KindOverdue Kind = "overdue" // an import has not come
)

// Kinds are all kinds of mail.
func Kinds() []Kind {
	return []Kind{KindInvite, KindRemoved, KindFailure, KindWaiting, KindOverdue}
}

// toPeople tells mail to a user from a report to the office.
func (k Kind) toPeople() bool { return k == KindInvite || k == KindRemoved }

// Mail is a mail before it is written out: the few fields that its template
// needs. It holds no PIN and no credential.
type Mail struct {
	Kind     Kind   `cbor:"kind"`
	To       string `cbor:"to"`             // the address alone
	Name     string `cbor:"name,omitempty"` // of whom it goes to, for the address line
	Language string `cbor:"language,omitempty"`
	Source   string `cbor:"source,omitempty"`
	Run      uint64 `cbor:"run,omitempty"`
	Person   Person `cbor:"person,omitzero"`
	Report   Report `cbor:"report,omitzero"`
}

// Person is whom an invitation or a farewell is about.
type Person struct {
	Name      string `cbor:"name,omitempty"` // the whole name
	FirstName string `cbor:"first,omitempty"`
	LastName  string `cbor:"last,omitempty"`
	UserID    string `cbor:"id,omitempty"`
}

// Report is what the contacts are told about a run of a source. Fields that a
// kind does not need stay empty.
type Report struct {
	Kind     Kind          `cbor:"-"` // KindFailure, KindWaiting or KindOverdue
	Source   string        `cbor:"-"`
	Run      uint64        `cbor:"-"`
	Contacts []string      `cbor:"-"` // addresses instead of those in the configuration
	File     string        `cbor:"file,omitempty"`
	Started  time.Time     `cbor:"started,omitzero"`
	Text     string        `cbor:"text,omitempty"`   // what is wrong and what to do, in words
	Errors   []RowError    `cbor:"errors,omitempty"` // in the order of the file
	Count    int           `cbor:"count,omitempty"`  // of errors, those left out included
	Known    int           `cbor:"known,omitempty"`  // people of the source before the run
	Changed  int           `cbor:"changed,omitempty"`
	Removed  int           `cbor:"removed,omitempty"`
	LastDone time.Time     `cbor:"last,omitzero"` // zero: never
	Interval time.Duration `cbor:"interval,omitempty"`
}

// RowError is one error in a file. Whoever reports it masks secret values.
type RowError struct {
	Line   int    `cbor:"line"`
	Column string `cbor:"column,omitempty"`
	Value  string `cbor:"value,omitempty"`
	Wrong  string `cbor:"wrong,omitempty"`  // what is wrong with it
	Wanted string `cbor:"wanted,omitempty"` // what would be right
}

// State is what becomes of a mail in the outbox.
type State string

// A mail that was sent is gone from the outbox.
const (
	StateWaiting State = "waiting"
	StateSending State = "sending" // at this moment
	// StateUnsure is a mail that was handed to the server, whose answer was never
	// heard. It may have been sent; a person sends it again or drops it.
	StateUnsure State = "unsure"
	// StateParked is a mail that the server refuses for good, or that cannot be
	// written. A person sends it again or drops it.
	StateParked State = "parked"
	// StateUnreadable is a row that another version wrote, or that is damaged.
	StateUnreadable State = "unreadable"
)

// entryVersion is of the encoding of entry.
const entryVersion = 1

// entry is a mail in the outbox and how far it has come. StateSending on disk
// means that the mail was about to be handed over; unless it is just under way
// that makes it StateUnsure.
type entry struct {
	Version  int    `cbor:"v"`
	State    State  `cbor:"state,omitempty"` // "" is waiting
	Queued   int64  `cbor:"queued"`          // milliseconds, as the others
	First    int64  `cbor:"first,omitempty"` // first attempt
	Next     int64  `cbor:"next,omitempty"`  // not before
	Attempts int    `cbor:"attempts,omitempty"`
	Reason   string `cbor:"reason,omitempty"` // of the last attempt's failure
	Mail     Mail   `cbor:"mail"`
}

// head is the part of an entry that decides whether its turn has come.
type head struct {
	Version int   `cbor:"v"`
	State   State `cbor:"state"`
	Next    int64 `cbor:"next"`
	Mail    struct {
		Kind Kind `cbor:"kind"`
	} `cbor:"mail"`
}

func (e entry) encode() ([]byte, error) {
	e.Version = entryVersion
	b, err := cbor.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode mail: %w", err)
	}
	return b, nil
}

func decodeEntry(b []byte) (e entry, err error) {
	if err := cbor.Unmarshal(b, &e); err != nil {
		return entry{}, fmt.Errorf("decode mail: %w", err)
	}
	return e, checkVersion(e.Version)
}

func decodeHead(b []byte) (h head, err error) {
	if err := cbor.Unmarshal(b, &h); err != nil {
		return head{}, fmt.Errorf("decode mail: %w", err)
	}
	return h, checkVersion(h.Version)
}

func checkVersion(v int) error {
	if v != entryVersion {
		return fmt.Errorf("decode mail: it is of version %d, this program knows %d", v, entryVersion)
	}
	return nil
}
