package roster

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"math"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"doorsync/protocol"
)

// Key is a global key: what tells that somebody whom a source names is a user
// that is already known.
type Key string

// The global keys. One that starts with protocol.CustomPrefix is the custom value
// of that name.
const (
	KeySyncID         Key = "sync_id"
	KeyEmail          Key = "email"
	KeyFullName       Key = "full_name"
	KeyUserID         Key = "user_id"
	KeyEmployeeNumber Key = "employee_number"
	KeyCredential     Key = "credential"
)

// KeyHash stands for one value of one key. Equal hashes are held against the
// values themselves before anybody is associated.
type KeyHash uint64

// Fold is how names, addresses and the other keys are compared: without blanks
// around, in Unicode's composed form (NFC), whatever the case.
func Fold(s string) string {
	s = strings.TrimSpace(s)
	for i := range len(s) {
		if s[i] >= 0x80 {
			return cases.Fold().String(norm.NFC.String(s))
		}
	}
	return strings.ToLower(s)
}

// Hash stands for a value of the key, "" folded to nothing has none: 0. That of a
// sync ID is the beginning of its Identity, so that a row need not be read again
// to be found by it.
func (k Key) Hash(value string) KeyHash {
	if value = Fold(value); value == "" {
		return 0
	}
	if k == KeySyncID {
		return IdentityOf(value).hash()
	}
	sum := sha256.Sum256([]byte(string(k) + "\x00" + value))
	return KeyHash(binary.BigEndian.Uint64(sum[:]))
}

// Identity stands for what a source tells its people apart by: the sync ID, or
// the e-mail address where there is none.
type Identity [16]byte

// IdentityOf folds like the keys.
func IdentityOf(name string) (out Identity) {
	sum := sha256.Sum256([]byte(Fold(name)))
	copy(out[:], sum[:])
	return out
}

func (id Identity) hash() KeyHash { return KeyHash(binary.BigEndian.Uint64(id[:])) }

// Gone is what becomes of a user whom a source no longer names.
type Gone string

// "Only this source knew them" means that no other source introduced the user: the
// office did not create it, no other file names it and no reader enrolled it as
// somebody new. What others added to a user of this source does not count.
const (
	GoneKeep           Gone = "keep"               // what the source said stays said
	GoneRemoveOnly     Gone = "remove-if-only"     // removed if only this source knew them, else the source's word is withdrawn
	GoneRemove         Gone = "remove"             // removed whoever else knows them
	GoneDeactivateOnly Gone = "deactivate-if-only" // the source says inactive if only it knew them, else its word is withdrawn
	GoneDeactivate     Gone = "deactivate"         // the source says inactive
)

// SourceRow is a source as an administrator set it up. The office and the readers
// have one only for their keys.
type SourceRow struct {
	Name    protocol.Source `cbor:"name"`
	Kind    string          `cbor:"kind,omitempty"` // "csv"; "" for the office and the readers
	Keys    []Key           `cbor:"keys,omitempty"`
	Gone    Gone            `cbor:"gone,omitempty"`
	IDsFrom uint64          `cbor:"ids_from,omitempty"` // where user IDs begin that are made up for its people
	Notify  bool            `cbor:"notify,omitempty"`   // mail to people who come and go
	// Settings are the kind's own, as JSON; the roster does not look into them.
	Settings []byte `cbor:"settings,omitempty"`
	Added    int64  `cbor:"added,omitempty"` // milliseconds
	// Runs is the number of the last run.
	Runs uint64 `cbor:"runs,omitempty"`
	// NextID is the number after the last user ID that was made up.
	NextID uint64 `cbor:"next_id,omitempty"`
	// Changed is the revision of the last change of what the source is or names:
	// an import that was planned before it is stale.
	Changed uint64 `cbor:"changed,omitempty"`
}

// DefaultIDsFrom is where made-up user IDs begin if nobody said otherwise.
const DefaultIDsFrom = 100_000

// SourceUser is one whom a source names, and who that is.
type SourceUser struct {
	Identity Identity
	// Digest is of the row as it was last taken in; 0 has it taken in again
	// whatever it says, as a row of which something was refused. Digests of rows
	// are other than 0, DigestAbsent and DigestRemoved.
	Digest uint64
	// GUID is empty where a person has decided that this is nobody yet known.
	GUID string
}

// DigestAbsent marks a row that the source no longer names while the user stays:
// it is remembered, so that who comes back is the same person. An absent row
// that is missing from the file again is nothing new; one that is in the file
// has changed.
const DigestAbsent = math.MaxUint64

// DigestRemoved marks a row whose user was removed because the source no longer
// named them: who comes back is brought back, with what readers and others had
// said. A user whom the office deleted has no such row and stays deleted.
const DigestRemoved = math.MaxUint64 - 1

// Absent tells that the source did not name the row any more when it was last
// imported, and all that is to become of the user has.
func (s SourceUser) Absent() bool { return s.Digest == DigestAbsent || s.Digest == DigestRemoved }

// Word is what one row of a source says about one person. Values holds what the
// row says; what it does not hold the source no longer says.
type Word struct {
	Line     int // of the file, for reports; counted from 1
	Identity Identity
	Digest   uint64
	SyncID   string // as written; "" where the e-mail address identifies
	Language string // of mail to this person, if the source knows it (BCP 47)

	Values      map[protocol.Field]protocol.Value // FieldUserID among them, if the source says one
	Credentials []protocol.Credential
	Groups      []string
}

// Person is all that a source says about one user: several rows where several
// name one person, in the order of the file, the first to say a value holds it.
type Person struct {
	// GUID is whom it is about; empty for somebody new.
	GUID string
	// By is the key by which it was found just now; "" if the source named the
	// person before, or for somebody new.
	By Key
	// Words are empty for a person whom the source no longer names.
	Words []Word
	// Lost are rows the person had and has no more.
	Lost []Identity
}

// Import is one run of a source.
type Import struct {
	Source protocol.Source
	Run    uint64
	// Dry computes everything and keeps nothing.
	Dry bool
	// Revision is that of the Survey by which the persons were told apart. Where
	// users have changed since so that somebody else would have been found, Import
	// keeps nothing and fails with ErrStale.
	Revision uint64
	// Persons are those about whom the source says something else than before,
	// those it no longer names first, the others in the order of their first
	// line. It may be asked for several times.
	Persons iter.Seq2[Person, error]
	// Effect is told, in order, what the import does to every user. It must not
	// keep the Effect's slices.
	Effect func(Effect)
	// Mail returns the mail to send to a person who is new or was removed, nil for
	// none. Mails go to the outbox in the same transaction; a dry run has none.
	// The user is as it is after the import, or was before it was removed.
	Mail func(e Effect, u protocol.User, language string) []byte
	// Finish returns what is kept of the run, in the same transaction.
	Finish func(Counts) RunRow
}

// EffectKind is what an import does.
type EffectKind string

// What an import does to a user, and what it leaves to people.
const (
	EffectNew         EffectKind = "new"
	EffectAssociated  EffectKind = "associated" // with a user already known
	EffectUpdated     EffectKind = "updated"
	EffectRemoved     EffectKind = "removed"
	EffectDeactivated EffectKind = "deactivated"
	EffectWithdrawn   EffectKind = "withdrawn" // the source no longer names the user, who stays
	EffectRefused     EffectKind = "refused"   // a credential or user ID that somebody else has, or that is revoked
	EffectUndecided   EffectKind = "undecided" // several candidates
	EffectWarning     EffectKind = "warning"
)

// Effect is one line of a run's report.
type Effect struct {
	Kind EffectKind `json:"kind" cbor:"kind"`
	Line int        `json:"line,omitempty" cbor:"line,omitempty"` // of the file
	// SyncID is what the source tells the person apart by, as written: its sync ID, or
	// the e-mail address. Set at least for EffectUndecided, for a person to decide.
	SyncID string        `json:"sync_id,omitempty" cbor:"sync_id,omitempty"`
	UserID string        `json:"user_id,omitempty" cbor:"user_id,omitempty"`
	GUID   string        `json:"-" cbor:"guid,omitempty"`
	Name   string        `json:"name,omitempty" cbor:"name,omitempty"`
	By     Key           `json:"by,omitempty" cbor:"by,omitempty"` // of an association
	Values []ValueChange `json:"values,omitempty" cbor:"values,omitempty"`
	// Credential is masked; Holder is the user ID of who has it.
	Credential string      `json:"credential,omitempty" cbor:"credential,omitempty"`
	Holder     string      `json:"holder,omitempty" cbor:"holder,omitempty"`
	Candidates []Candidate `json:"candidates,omitempty" cbor:"candidates,omitempty"`
	Text       string      `json:"text,omitempty" cbor:"text,omitempty"` // in words, with what to do
}

// ValueChange is one value, credential or group of a user before and after.
// Secrets are masked.
type ValueChange struct {
	What string `json:"what" cbor:"what"` // field, masked credential, or "group NAME"
	Old  string `json:"old" cbor:"old,omitempty"`
	New  string `json:"new" cbor:"new,omitempty"`
	// HeldBy is set where the value was not kept: by whom it is held.
	HeldBy protocol.Source `json:"held_by,omitempty" cbor:"held_by,omitempty"`
	// Source is whose word New is, where another order of sources is looked at.
	Source protocol.Source `json:"source,omitempty" cbor:"source,omitempty"`
}

// Candidate is a user who may be the one a row names.
type Candidate struct {
	GUID   string `json:"guid" cbor:"guid"`
	UserID string `json:"user_id" cbor:"user_id"`
	Name   string `json:"name,omitempty" cbor:"name,omitempty"`
	By     Key    `json:"by" cbor:"by"`
	// Own: nobody but the source that is imported said the value by which the user
	// was found, so that its next word may take it away.
	Own bool `json:"-" cbor:"-"`
}

// Counts is what an import came to.
type Counts struct {
	New         int `json:"new" cbor:"new,omitempty"`
	Associated  int `json:"associated" cbor:"associated,omitempty"`
	Updated     int `json:"updated" cbor:"updated,omitempty"`
	Unchanged   int `json:"unchanged" cbor:"unchanged,omitempty"`
	Removed     int `json:"removed" cbor:"removed,omitempty"`
	Deactivated int `json:"deactivated" cbor:"deactivated,omitempty"`
	Withdrawn   int `json:"withdrawn" cbor:"withdrawn,omitempty"`
	Refused     int `json:"refused" cbor:"refused,omitempty"`
	Undecided   int `json:"undecided" cbor:"undecided,omitempty"`
	Warnings    int `json:"warnings" cbor:"warnings,omitempty"`
}

// RunRow is one run of a source, kept for good. What it did is the source's own
// encoding (Report).
type RunRow struct {
	Source protocol.Source
	Number uint64
	At     time.Time
	Report []byte
}

// MailRow is a mail that waits for the mail server. What it says is the
// notifier's own encoding.
type MailRow struct {
	ID   uint64 // 0 is new
	Mail []byte
}
