package roster

import (
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Actor is the person who makes a change: who, and from where.
type Actor struct{ Name, From string }

// String is how the events name the actor.
func (a Actor) String() string {
	switch {
	case a.Name == "" && a.From == "":
		return "office"
	case a.From == "":
		return a.Name
	default:
		return a.Name + " (" + a.From + ")"
	}
}

// Query selects users. The zero Query selects all that were not deleted.
type Query struct {
	Text    string // in ID, name, e-mail, phone, employee number or department
	After   string // Next of the page before
	Limit   int    // 0: 100
	Site    string // only users this site is given
	Group   string // only users in this access group
	State   string // active, inactive or conflict
	Removed bool   // deleted users instead of the others
}

// Page is one page of users, ordered by user ID.
type Page struct {
	Users []UserView
	Next  string // After of the next page; empty at the end
}

// UserView is a user as people are shown it.
type UserView struct {
	GUID       string
	ID         string
	Aliases    []string // earlier and other user IDs that find this user
	User       protocol.User
	Record     protocol.Record
	Revision   uint64
	Created    uint64 // revision at which the user came to be
	EnrolledBy string // site; "" is the office
	Conflict   string // the site at which alone the user is known; "" is no conflict
	Removed    bool
}

// Patch is what the office changes about a user. Set, Blank and Withdraw name
// different fields.
type Patch struct {
	// OnlyNew and OnlyExisting refuse the other case; both false takes either.
	OnlyNew, OnlyExisting bool

	Set      map[protocol.Field]protocol.Value // FieldUserID renumbers
	Blank    []protocol.Field                  // held empty
	Withdraw []protocol.Field                  // the office says nothing any more

	Give     []protocol.Credential
	TakeBack []protocol.CredentialKey // the office no longer gives it; other sources may

	Join  []string // access groups
	Leave []string // out of the group, whoever gave it
}

// Said is one source's word, for people.
type Said struct {
	Source protocol.Source
	Shown  string // masked where secret
	State  string // "", "blank", or a protocol.Giving
	Stamp  protocol.Stamp
}

// Explained tells of one value, credential or group of a user who holds it,
// since when, and what others said.
type Explained struct {
	What   string         // value, credential or group
	Field  protocol.Field // of a value
	Name   string         // field, masked credential or group
	Shown  string         // in effect; empty when nothing is
	Source protocol.Source
	Since  protocol.Stamp
	Blank  bool
	Active bool // a credential or group in effect, a value held
	Others []Said
}

// Conflict is a user enrolled apart under a user ID that somebody else had
// taken.
type Conflict struct {
	Site   string
	UserID string
	User   UserView
	Holder *UserView // who has the user ID; nil if nobody any more
}

// Resolution ends a conflict: exactly one field is set.
type Resolution struct {
	MergeInto string // user ID or GUID of the same person
	Renumber  string // a free user ID
}

// SiteView is a site as people are shown it.
type SiteView struct {
	Name       string
	Mode       string   // in effect
	SetMode    string   // as set at the center; "" leaves it to the site, then to the default
	Groups     []string // that open a door there, in effect
	SetGroups  []string // as set at the center; nil leaves it to the site
	Online     bool
	LastSeen   time.Time
	Version    string // of the agent
	Epoch      string
	Taken      uint64 // number of the last journal entry taken
	Conflicts  int
	Readers    []wire.ReaderState
	ReadersAt  time.Time
	ClockAhead time.Duration // of the agent's clock, at its last hello
}

// SiteSettings are what a person sets about a site; nil leaves as it is.
type SiteSettings struct {
	Mode   *string   // "" leaves it to the site
	Groups *[]string // nil slice leaves it to the site
}

// SourceView is a source and its place in the priority.
type SourceView struct {
	Source protocol.Source
	Rank   int              // 1 is the highest
	Fields []protocol.Field // that it holds before all others, by override
}

// RevokedView is a revoked credential.
type RevokedView struct {
	Key    protocol.CredentialKey
	Holder string // user ID; "" if nobody had it
	Stamp  protocol.Stamp
	By     string
}

// Event is one line of the center's event log: a journal entry of a site, or of
// the office (Site "").
type Event struct {
	Seq      uint64 // in order of arrival
	ID       protocol.EntryID
	Site     string
	Epoch    string
	Number   uint64
	At       time.Time // when it happened, by the clock of where it happened
	Arrived  time.Time
	Event    protocol.Event
	Reader   string
	ReaderID string
	UserID   string
	GUID     string
	Detail   string
	Actor    string // of the office's own
}

// EventQuery selects events.
type EventQuery struct {
	Since, Until time.Time
	User         string // user ID or GUID
	Site         string // a site; "-" is the office
	Reader       string
	Event        protocol.Event
	After        uint64 // Seq of the last event of the page before
	Limit        int    // 0: 100
	Oldest       bool   // oldest first, as one follows a log; otherwise newest first
}
