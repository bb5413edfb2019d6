package wire

import (
	"github.com/fxamacker/cbor/v2"

	"doorsync/protocol"
)

// Hello opens every connection: what the agent has. It is sent again when the
// agent has caught up and once a day, so that digests are compared.
type Hello struct {
	Session  string `cbor:"session"` // random, new with each connection
	Epoch    string `cbor:"epoch"`
	First    uint64 `cbor:"first"`            // number of the first entry of this epoch
	Last     uint64 `cbor:"last"`             // number of the last journal entry, First-1 if none
	Hash     []byte `cbor:"hash,omitempty"`   // of the entry at Taken as the agent knows it
	Oldest   uint64 `cbor:"oldest,omitempty"` // number of the oldest entry kept, of whatever epoch; 0: it is not said
	Taken    uint64 `cbor:"taken"`            // number the center has confirmed, as the agent knows
	Revision uint64 `cbor:"revision"`         // of the roster held
	Roster   string `cbor:"roster"`           // ID of the roster that Revision counts in, "" if none
	Cursor   []byte `cbor:"cursor,omitempty"` // of a snapshot under way
	Digest   []byte `cbor:"digest,omitempty"` // root over what is held, when caught up
	// Groups are the access groups that open a door at this site, in mode
	// groups; Mode is the site's own wish, "" for the center's default.
	Groups  []string `cbor:"groups,omitempty"`
	Mode    string   `cbor:"mode,omitempty"`
	Version string   `cbor:"version"`
	Now     int64    `cbor:"now"` // the agent's clock, milliseconds
}

// Journal carries consecutive entries of one epoch.
type Journal struct {
	Session string           `cbor:"session"`
	Epoch   string           `cbor:"epoch"`
	Entries []protocol.Entry `cbor:"entries"`
}

// StoredJournal is a Journal whose entries travel as they are stored: encoded by
// Codec.Marshal. It is only written; the other side reads a Journal.
type StoredJournal struct {
	Session string            `cbor:"session"`
	Epoch   string            `cbor:"epoch"`
	Entries []cbor.RawMessage `cbor:"entries"`
}

// Pull asks for the changes after a revision and allows the center to send on
// unasked: at most Window bytes beyond what the latest Pull says is held.
type Pull struct {
	Session string `cbor:"session"`
	After   uint64 `cbor:"after"`
	Cursor  []byte `cbor:"cursor,omitempty"`
	Window  int    `cbor:"window"`
	Again   bool   `cbor:"again,omitempty"` // something was missed: start over from After
	// Roster is that in which After counts, said with Again. The center may have
	// taken a late word for one about a roster that began meanwhile.
	Roster string `cbor:"roster,omitempty"`
}

// Readers is the state of every reader of a site.
type Readers struct {
	Session string        `cbor:"session"`
	Readers []ReaderState `cbor:"readers"`
}

// ReaderState is what is known of one reader.
type ReaderState struct {
	Name     string `cbor:"name" json:"name"`
	Driver   string `cbor:"driver" json:"driver"`
	Address  string `cbor:"address" json:"address"`
	ReaderID string `cbor:"id,omitempty" json:"id,omitempty"` // the reader's own number
	Model    string `cbor:"model,omitempty" json:"model,omitempty"`
	Firmware string `cbor:"firmware,omitempty" json:"firmware,omitempty"`
	State    string `cbor:"state" json:"state"` // in_sync, differs, syncing, offline
	Error    string `cbor:"error,omitempty" json:"error,omitempty"`
	Since    int64  `cbor:"since" json:"since"` // of the state, milliseconds
	Users    int    `cbor:"users" json:"users"` // rows held
	Add      int    `cbor:"add" json:"add"`
	Update   int    `cbor:"update" json:"update"`
	Delete   int    `cbor:"delete" json:"delete"`
	Held     int    `cbor:"held" json:"held"`                         // deletes that wait for a person
	GivenUp  int    `cbor:"given_up" json:"given_up"`                 // writes given up
	Unknown  int    `cbor:"unknown" json:"unknown"`                   // rows left alone: nobody knows them
	Synced   int64  `cbor:"synced,omitempty" json:"synced,omitempty"` // last time the whole table agreed
}

// The states of a reader.
const (
	ReaderInSync  = "in_sync"
	ReaderDiffers = "differs"
	ReaderSyncing = "syncing"
	ReaderOffline = "offline"
)

// Digest answers an order to compare: the digests of all buckets, or the users
// of some.
type Digest struct {
	Session  string            `cbor:"session"`
	Revision uint64            `cbor:"revision"`
	Buckets  [][]byte          `cbor:"buckets,omitempty"` // 256
	Users    map[string][]byte `cbor:"users,omitempty"`   // GUID -> Sum, of the buckets asked for
	Of       []uint8           `cbor:"of,omitempty"`      // the buckets that Users covers
}

// Presence is the last will.
type Presence struct {
	Session string `cbor:"session"`
	Online  bool   `cbor:"online"`
}

// Confirm says what the center has taken; also the answer to Hello.
type Confirm struct {
	Session  string `cbor:"session"`
	Epoch    string `cbor:"epoch"`
	Taken    uint64 `cbor:"taken"`
	Hash     []byte `cbor:"hash,omitempty"` // of the entry at Taken
	Revision uint64 `cbor:"revision"`       // of the roster now
	Roster   string `cbor:"roster"`
	// NewEpoch tells the agent that its journal is not the one the center knows
	// under this epoch (restored or cloned): start a new epoch.
	NewEpoch bool `cbor:"new_epoch,omitempty"`
	// Gap: entries are missing after Taken; send again from there.
	Gap      bool      `cbor:"gap,omitempty"`
	Verdicts []Verdict `cbor:"verdicts,omitempty"`
	Now      int64     `cbor:"now"` // the center's clock, milliseconds
}

// Verdict is what the center decided about an entry, other than taking it whole.
type Verdict struct {
	Number uint64         `cbor:"n"`
	Event  protocol.Event `cbor:"e"`
	UserID string         `cbor:"u,omitempty"`
	Detail string         `cbor:"d,omitempty"`
}

// Changes are consecutive changes of the roster (From, To], as far as they
// concern the site.
type Changes struct {
	Session string `cbor:"session"`
	Roster  string `cbor:"roster"`
	From    uint64 `cbor:"from"`
	To      uint64 `cbor:"to"`
	// Epoch and Journal: every entry of the site up to Journal has had its
	// effect as of To, so the site's overlay of them can go.
	Epoch   string   `cbor:"epoch"`
	Journal uint64   `cbor:"journal"`
	Users   []Change `cbor:"users,omitempty"`
	// Stamp is the newest stamp in the records of Users, so that the site's clock
	// passes it without decoding them; the sender must set it.
	Stamp protocol.Stamp `cbor:"stamp"`
	// Page is set while a snapshot is sent: Users are all users of the site with
	// a GUID in (Page.After, Page.UpTo]; what else the site has there must go.
	Page     *Page     `cbor:"page,omitempty"`
	Settings *Settings `cbor:"settings,omitempty"`
	// Mend tells that Users put right what digests showed to differ.
	Mend bool `cbor:"mend,omitempty"`
	More bool `cbor:"more,omitempty"` // the site is not caught up at To
	// Ready is what the site has made of Users ahead of storing them; it does not
	// travel.
	Ready any `cbor:"-"`
}

// Page is a range of a snapshot. UpTo "" is the end.
type Page struct {
	After  string `cbor:"after"`
	UpTo   string `cbor:"up_to"`
	Cursor []byte `cbor:"cursor,omitempty"` // to go on from; empty after the last page
}

// Settings is what a site must know besides users.
type Settings struct {
	Mode  string         `cbor:"mode"` // off, all, all+readers, groups
	Rules protocol.Rules `cbor:"rules"`
	// Revoked are keyed hashes (HMAC-SHA256 under Salt, 16 bytes) of the keys of
	// all revoked credentials.
	Salt    []byte   `cbor:"salt,omitempty"`
	Revoked [][]byte `cbor:"revoked,omitempty"`
}

// Sync modes.
const (
	ModeOff        = "off"
	ModeAll        = "all"
	ModeAllReaders = "all+readers"
	ModeGroups     = "groups"
)

// Change is one user as a site gets it. What the site must find users by stands
// beside the record, so that records are stored without being decoded.
type Change struct {
	GUID string `cbor:"g"`
	// IDs are the user's IDs: first the one readers are given, then the aliases.
	IDs    []string        `cbor:"i,omitempty"`
	Keys   []uint64        `cbor:"k,omitempty"`    // KeyHash of each credential in effect
	Record cbor.RawMessage `cbor:"r,omitempty"`    // an encoded protocol.Record
	Gone   bool            `cbor:"gone,omitempty"` // no longer this site's to know
}

// Order asks the agent to do something.
type Order struct {
	Session string  `cbor:"session"`
	ID      string  `cbor:"id"`               // so that an order sent twice is done once
	Do      string  `cbor:"do"`               // sync, resend, digest, hello
	Reader  string  `cbor:"reader,omitempty"` // for sync: one reader, or all
	Number  uint64  `cbor:"number,omitempty"` // for resend: from this entry on
	Buckets []uint8 `cbor:"buckets,omitempty"`
	By      string  `cbor:"by,omitempty"` // who asked, for the journal
}

// What an Order can ask for.
const (
	DoSync   = "sync"
	DoResend = "resend"
	DoDigest = "digest"
	DoHello  = "hello"
)

// Done answers an Order that a person waits for, as often as the order came.
type Done struct {
	Session string `cbor:"session"`
	ID      string `cbor:"id"`              // of the order
	Error   string `cbor:"error,omitempty"` // why it cannot be done, for people
}
