package protocol

import (
	"encoding/hex"
	"maps"
	"slices"
	"time"
)

// Event names what a journal entry records. The codes are stable; Title is what
// people read.
type Event string

// What happens to users.
const (
	EventEnrolled          Event = "enrolled"           // a user new to the site, at a reader
	EventUpdatedReader     Event = "updated_reader"     // an edit at a reader
	EventUpdatedCentral    Event = "updated_central"    // written to a reader from the center
	EventRemovedCentral    Event = "removed_central"    // taken off a reader from the center
	EventDeletedReader     Event = "deleted_at_reader"  // somebody removed the user at a reader
	EventSaveFailed        Event = "save_failed"        // the center did not take the edit
	EventTooLate           Event = "too_late"           // edited at a reader, deleted at the center meanwhile
	EventConflict          Event = "conflict"           // the same new user ID at two sites
	EventValueNotKept      Event = "value_not_kept"     // another source holds the value
	EventCredentialRefused Event = "credential_refused" // another user holds the credential
	EventLeftOut           Event = "left_out"           // a reader cannot hold a part of the user
	EventGivenUp           Event = "given_up"           // a write was tried too often
	EventNotTaken          Event = "not_taken"          // an edit at a reader in a mode that takes none
)

// What happens to readers, the site and the agent itself.
const (
	EventReaderOnline  Event = "reader_online"
	EventReaderOffline Event = "reader_offline"
	EventReaderDiffers Event = "reader_differs"
	EventReaderSynced  Event = "reader_synced"
	EventReaderSwapped Event = "reader_swapped" // another device answers at the reader's address
	EventLogGap        Event = "log_gap"        // the reader's log lost entries
	EventDeletesHeld   Event = "deletes_held"   // more deletes than the cap: a person must confirm
	EventUnknownCard   Event = "unknown_card"   // presented at a reader
	EventStarted       Event = "started"
	EventStopped       Event = "stopped"
	EventWANLost       Event = "wan_lost"
	EventWANBack       Event = "wan_back"
	EventCaughtUp      Event = "caught_up"
	EventClockChanged  Event = "clock_changed"
	EventNewEpoch      Event = "new_epoch"     // the journal is new or was restored from a copy
	EventMended        Event = "mended"        // digests differed; the site's copy was put right
	EventSyncRequested Event = "sync_asked"    // by a person
	EventModeChanged   Event = "mode_changed"  // the sync mode of the site
	EventStampMoved    Event = "stamp_moved"   // a stamp too far ahead, taken as of its arrival
	EventOfficeChanged Event = "office_edited" // edited at the office (the center's own journal)
	EventOfficeDeleted Event = "office_deleted"
)

var titles = map[Event]string{
	EventEnrolled: "User enrolled (Reader)", EventUpdatedReader: "User update succeeded (Reader)",
	EventUpdatedCentral: "User update succeeded (Central)", EventRemovedCentral: "User removed (Central)",
	EventDeletedReader: "User deleted at reader", EventSaveFailed: "Failed to save at the center",
	EventTooLate: "Edit came too late", EventConflict: "User ID in conflict", EventValueNotKept: "Value not kept",
	EventCredentialRefused: "Credential refused", EventLeftOut: "Not held by the reader", EventGivenUp: "Given up",
	EventNotTaken: "Edit not taken", EventReaderOnline: "Reader online", EventReaderOffline: "Reader offline",
	EventReaderDiffers: "Reader differs", EventReaderSynced: "Reader in sync", EventReaderSwapped: "Reader was exchanged",
	EventLogGap: "Reader log has a gap", EventDeletesHeld: "Deletes held", EventUnknownCard: "Unknown card",
	EventStarted: "Started", EventStopped: "Stopped", EventWANLost: "WAN lost", EventWANBack: "WAN back",
	EventCaughtUp: "Caught up", EventClockChanged: "Clock changed", EventNewEpoch: "New epoch", EventMended: "Mended",
	EventSyncRequested: "Sync requested", EventModeChanged: "Sync mode changed", EventStampMoved: "Clock ahead",
	EventOfficeChanged: "User edited (Office)", EventOfficeDeleted: "User deleted (Office)",
}

// Title is the event's name for people.
func (e Event) Title() string {
	if t, ok := titles[e]; ok {
		return t
	}
	return string(e)
}

// Known reports whether this version knows the event. A later version's events
// are kept and shown by their code.
func (e Event) Known() bool { _, ok := titles[e]; return ok }

// Events are the events that this version knows, by name.
func Events() []Event { return slices.Sorted(maps.Keys(titles)) }

// EntryID identifies an entry for good, whatever number it travels under. It
// starts with the time, so that indexes over it grow at their end.
type EntryID [16]byte

// String prints the ID in hex.
func (id EntryID) String() string { return hex.EncodeToString(id[:]) }

// Entry is one line of a site's journal.
type Entry struct {
	Number   uint64  `cbor:"n"` // 1, 2, 3 … without gaps
	ID       EntryID `cbor:"id"`
	Prev     []byte  `cbor:"p"` // hash of the entry before, empty for the first
	Stamp    Stamp   `cbor:"t"`
	Event    Event   `cbor:"e"`
	Reader   string  `cbor:"r,omitempty"`   // the reader's name at the site
	ReaderID string  `cbor:"rid,omitempty"` // the reader's own number
	UserID   string  `cbor:"u,omitempty"`
	Revision uint64  `cbor:"rev"`            // that the site held when it happened
	Edit     *Edit   `cbor:"edit,omitempty"` // what was changed; nil for everything that only tells
	Detail   string  `cbor:"d,omitempty"`    // for people; never a secret
}

// Time is when the entry was made, by the site's clock.
func (e Entry) Time() time.Time { return e.Stamp.Time() }
