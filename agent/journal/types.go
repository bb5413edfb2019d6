package journal

import (
	"log/slog"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Options of a journal. Site is required, everything else has a default.
type Options struct {
	Site     string           // origin of the site's stamps
	Logger   *slog.Logger     // discards if nil
	Now      func() time.Time // time.Now
	Retain   time.Duration    // how long confirmed entries are kept; 0: 90 days
	LockWait time.Duration    // how long to wait for the file's lock; 0: one second
}

// DefaultRetain is how long confirmed entries are kept unless configured.
const DefaultRetain = 90 * 24 * time.Hour

// Batch is what a reader session has to say in one transaction: what happened,
// what the reader holds now, and how far its log was read.
type Batch struct {
	Reader   string // the reader's name at the site, "" for the agent itself
	ReaderID string // the reader's own number
	Drafts   []Draft
	Rows     []Row
	// ForgetRows drops everything remembered of the reader's rows, before Rows
	// are stored: another device answers at its address.
	ForgetRows bool
	Cursor     []byte // into the reader's log; nil: unchanged, empty: forgotten
	GivenUp    []GivenUp
	Forget     []GivenUpKey
}

// Draft is an entry before it has a number. A draft with an Edit is taken into
// the site's view in the same transaction.
type Draft struct {
	Event  protocol.Event
	UserID string
	Edit   *protocol.Edit // New and Refused are the journal's to set
	Detail string         // for people; never a secret
}

// Row is what is remembered of one row of a reader's table, opaque to the
// journal. A row with nothing in it is removed.
type Row struct {
	Key    string
	Held   []byte // what the reader held when last seen; nil: nothing
	Intent []byte // what is being written; nil: nothing
	Absent bool   // somebody deleted it at the reader, and it stays away
}

// GivenUpKey names a write that was given up.
type GivenUpKey struct {
	Reader string `cbor:"reader" json:"reader"`
	Key    string `cbor:"key" json:"key"` // of the row
}

// GivenUp is a write that was tried too often or refused for good. Reader
// defaults to the batch's, At to now.
type GivenUp struct {
	GivenUpKey
	UserID string    `cbor:"user,omitempty" json:"user,omitempty"`
	Reason string    `cbor:"reason" json:"reason"` // for people; never a secret
	Tries  int       `cbor:"tries" json:"tries"`
	At     time.Time `cbor:"at" json:"at"`
	// Want names the content that could not be written, so that new content is
	// tried again. Opaque to the journal.
	Want []byte `cbor:"want,omitempty" json:"-"`
}

// View is one user as in effect at this site: the center's record with the
// site's own pending edits laid over it.
type View struct {
	GUID    string // "" for a user new at the site
	Record  protocol.Record
	User    protocol.User // Record flattened, revoked credentials left out
	IDs     []string      // first the ID that readers are given, then the aliases
	Removed bool          // deleted at the center
	Pending bool          // has edits that the center has not taken in
}

// State is where the journal stands, for the uplink and for people.
type State struct {
	Epoch     string
	First     uint64 // number of the first entry of the epoch
	Last      uint64 // number of the last entry, First-1 if none
	LastHash  []byte // of the entry at Last
	Oldest    uint64 // number of the oldest entry kept, Last+1 if none
	Confirmed uint64 // last number that the center has taken
	Hash      []byte // of the entry at Confirmed, nil if unknown
	Revision  uint64 // of the roster held
	Roster    string // ID of the roster, "" if none was ever held
	Cursor    []byte // of a snapshot under way, nil if none
	Digest    wire.Sum
	Stamp     protocol.Stamp // the site's clock
}

// RawEntry is an entry as stored: a CBOR protocol.Entry that nothing decodes on
// the way to the center.
type RawEntry struct {
	Number uint64
	Data   []byte
}
