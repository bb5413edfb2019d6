package roster

import (
	"context"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Store is where the roster lives. storetest decides whether one is finished.
type Store interface {
	// Update runs fn in the one writing transaction and returns nil only when
	// everything is on stable storage. When it returns an error nothing of fn
	// was kept.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn over a consistent snapshot; it never waits for Update.
	View(ctx context.Context, fn func(View) error) error
	Close() error
}

// View reads one snapshot.
type View interface {
	UserReader
	IndexReader
	CredentialReader
	LogReader
	SiteReader
	MetaReader
	SourceReader
	KeyReader
	MergeReader
	RunReader
	GroupReader
	ContestReader
	FieldReader
}

// Tx reads and writes one transaction; it sees what it wrote.
type Tx interface {
	View
	UserWriter
	IndexWriter
	CredentialWriter
	LogWriter
	SiteWriter
	MetaWriter
	SourceWriter
	KeyWriter
	MergeWriter
	RunWriter
	GroupWriter
	FieldWriter
}

// UserReader reads users. A row handed to a callback is the callback's only until
// it returns; what the row's slices hold stays. It returns false to stop.
type UserReader interface {
	User(guid string) (UserRow, bool, error)
	// UsersSince are all users of a later revision, in order of revision, as far
	// as sites need them: GUID, Revision, Removed, Site, EnrolledBy, MergedInto,
	// IDs, Groups, Keys, Sum and Record.
	UsersSince(revision uint64, fn func(*UserRow) bool) error
	// UsersFrom are all users after a GUID, in order of GUID, with the same.
	UsersFrom(guid string, fn func(*UserRow) bool) error
	// Heads are all users after a place in the order for people, (Sort, GUID),
	// without record and contributions.
	Heads(sort, guid string, fn func(*UserRow) bool) error
	// Grave is what a deleted user was, to restore it.
	Grave(guid string) (Grave, bool, error)
}

// UserWriter writes users.
type UserWriter interface {
	// PutUsers writes whole rows. A row of Handle 0 is new and is given one.
	PutUsers(rows []*UserRow) error
	// PutContributions replaces only the contributions of existing rows.
	PutContributions(rows []*UserRow) error
	PutGrave(g Grave) error
	DropGrave(guid string) error
}

// UserRow is a user as stored. Everything but Contributions is computed from
// them, and stored so that it is found and sent without computing.
type UserRow struct {
	Handle        int64 // the store's own name for the row, 0 if new
	Moved         bool  // an existing row differs in Sort
	GUID          string
	Revision      uint64
	Created       uint64 // revision at which the user came to be
	Removed       uint64 // revision at which it was deleted, 0 if it was not
	Site          string // of a conflict
	EnrolledBy    string // site, "" for the office
	ChangedBy     string // site that made the last change of the record
	Foreign       uint64 // revision of the last change that ChangedBy did not make
	MergedInto    string // GUID
	IDs           []string
	Keys          []uint64 // wire.KeyHash of the credentials in effect
	Groups        []string // in effect
	Sort          string   // the user ID, so that it sorts for people
	Search        string   // what Query.Text looks into, lower-case
	Inactive      bool
	Known         []protocol.Source // who introduced the user; empty in what was written before this was kept
	Sum           wire.Sum
	Record        []byte // encoded protocol.Record
	Contributions []byte
}

// Grave keeps what a deleted user was.
type Grave struct {
	GUID          string
	Record        []byte
	Contributions []byte
}

// IDRow says whose a user ID is: everywhere, or in the edits of one site.
type IDRow struct {
	ID    string
	Site  string // "" is everywhere
	GUID  string
	Since uint64 // revision at which GUID got the ID
	By    string // site that enrolled it so, "" for the office
	// Until bounds a row of a site: it speaks of edits made before the site had
	// this revision. 0 is a conflict nobody has resolved.
	Until uint64
}

// IndexReader finds users by user ID.
type IndexReader interface {
	ID(site, id string) (IDRow, bool, error)
	IDsOf(guid string) ([]IDRow, error) // rows of all sites, in order of Since, then of ID
	SiteIDs() ([]IDRow, error)          // all rows with a Site
}

// IndexWriter writes who is found by which user ID.
type IndexWriter interface {
	// PutIDs is fastest in order of ID.
	PutIDs(rows []IDRow) error
	DropID(site, id string) error
}

// RevokedRow is a revoked credential.
type RevokedRow struct {
	Key    protocol.CredentialKey
	GUID   string          // of the user who had it, "" if nobody
	Before protocol.Giving // the office's word before, "" if it had none
	Stamp  protocol.Stamp
	By     string
}

// CredentialReader finds who holds a credential in effect.
type CredentialReader interface {
	Holder(k protocol.CredentialKey) (guid string, ok bool, err error)
	Revoked() ([]RevokedRow, error) // in order of stamp
}

// HolderRow says who holds a credential in effect.
type HolderRow struct {
	Key  protocol.CredentialKey
	GUID string
}

// CredentialWriter writes who holds a credential, and what is revoked.
type CredentialWriter interface {
	// PutHolders is fastest in order of key.
	PutHolders(rows []HolderRow) error
	DropHolder(k protocol.CredentialKey) error
	PutRevoked(row RevokedRow) error
	DropRevoked(k protocol.CredentialKey) error
}

// VerdictRow is a verdict that the site may not have heard yet.
type VerdictRow struct {
	Site, Epoch string
	Verdict     wire.Verdict
}

// LogReader reads events and verdicts.
type LogReader interface {
	// Known are all entries of a site with a number of from or later, whatever
	// their epoch.
	Known(site string, from uint64, fn func(protocol.EntryID)) error
	Events(q EventFilter, fn func(*Event) bool) error
	// Verdicts are those of a site's epoch with numbers in (after, upTo].
	Verdicts(site, epoch string, after, upTo uint64) ([]wire.Verdict, error)
}

// EventFilter is what a store selects events by.
type EventFilter struct {
	SinceMS, UntilMS int64    // by At; 0 is open
	Users            []string // any of these user IDs
	Site             *string
	Reader           string
	Event            protocol.Event
	After            uint64
	Oldest           bool
}

// LogWriter writes events and verdicts.
type LogWriter interface {
	AddEvents(events []Event) error
	AddVerdicts(rows []VerdictRow) error
	DropVerdicts(site, epoch string, upTo uint64) error
}

// SiteRow is a site as stored.
type SiteRow struct {
	Name       string   `cbor:"name"`
	KeyHash    []byte   `cbor:"key"`
	Mode       string   `cbor:"mode,omitempty"`        // set at the center
	Groups     []string `cbor:"groups,omitempty"`      // set at the center
	OwnGroups  bool     `cbor:"own_groups,omitempty"`  // Groups is set
	SaidMode   string   `cbor:"said_mode,omitempty"`   // by the site
	SaidGroups []string `cbor:"said_groups,omitempty"` // by the site
	Scope      uint64   `cbor:"scope"`                 // revision at which what the site is given changed
	Settings   uint64   `cbor:"settings"`              // revision at which the site's settings changed
	Epoch      string   `cbor:"epoch,omitempty"`
	Version    string   `cbor:"version,omitempty"`
	ClockAhead int64    `cbor:"ahead,omitempty"` // milliseconds
	Online     bool     `cbor:"online,omitempty"`
	LastSeen   int64    `cbor:"seen,omitempty"` // milliseconds
	Readers    []byte   `cbor:"readers,omitempty"`
	ReadersAt  int64    `cbor:"readers_at,omitempty"`
}

// EpochRow is how far a journal of a site was taken in.
type EpochRow struct {
	Site, Epoch string
	Taken       uint64
	Hash        []byte // of the entry at Taken, nil if unknown
}

// SiteReader reads sites.
type SiteReader interface {
	Sites() ([]SiteRow, error) // by name
	Epochs() ([]EpochRow, error)
}

// SiteWriter writes sites.
type SiteWriter interface {
	PutSite(row SiteRow) error
	PutEpoch(row EpochRow) error
}

// Meta is what there is once.
type Meta struct {
	Roster   string         `cbor:"roster"` // random ID of this roster
	Revision uint64         `cbor:"revision"`
	Clock    protocol.Stamp `cbor:"clock"`
	Number   uint64         `cbor:"number"` // of the office's last event
	Settings uint64         `cbor:"settings"`
	Salt     []byte         `cbor:"salt"`
	Rules    protocol.Rules `cbor:"rules"`
	// Recompute is set while a change of rules is being carried through: all
	// users up to this GUID are done.
	Recompute *string `cbor:"recompute,omitempty"`
	// Reindex is set while the index of global keys is being made anew: all users
	// up to this GUID are in it.
	Reindex *string `cbor:"reindex,omitempty"`
	// Groups tells that the names of groups are kept in a table of their own.
	Groups bool `cbor:"groups,omitempty"`
	// Left are sources that were removed while what they had said stays said.
	Left []protocol.Source `cbor:"left,omitempty"`
	// Recomputing says how far that is.
	Recomputing *Recomputing `cbor:"recomputing,omitempty"`
}

// MetaReader reads Meta; ok is false in a new store.
type MetaReader interface {
	Meta() (m Meta, ok bool, err error)
}

// MetaWriter writes Meta.
type MetaWriter interface {
	PutMeta(m Meta) error
}

// GroupReader reads the names of groups that are known.
type GroupReader interface {
	Groups() ([]string, error) // by name
}

// GroupWriter writes them. One that is known already stays as it is.
type GroupWriter interface {
	PutGroup(name string) error
}
