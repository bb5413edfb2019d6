package journal

import (
	"context"
	"errors"
	"iter"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

var errStub = errors.New("not written yet")

// Open opens or creates a site's journal for the agent.
func Open(path string, o Options) (*Journal, error) { return nil, errStub }

// OpenReadOnly opens a journal for reading while no agent runs.
func OpenReadOnly(path string, o Options) (*Journal, error) { return nil, errStub }

// Run writes what callers hand in until ctx ends; it returns after the last
// commit. Append and the other writers wait until Run runs.
func (j *Journal) Run(ctx context.Context) error { return errStub }

// Close ends the writer if it runs and closes the file.
func (j *Journal) Close() error { return errStub }

// Append commits a batch and returns the entries it made, after they are durable.
func (j *Journal) Append(ctx context.Context, b Batch) ([]protocol.Entry, error) { return nil, errStub }

// Rows yields what is remembered of a reader's rows, in key order.
func (j *Journal) Rows(reader string) iter.Seq2[Row, error] { return nil }

// Row returns what is remembered of one row.
func (j *Journal) Row(reader, key string) (Row, bool, error) { return Row{}, false, errStub }

// Cursor returns the cursor into a reader's log, nil if none.
func (j *Journal) Cursor(reader string) ([]byte, error) { return nil, errStub }

// GivenUp returns the writes that were given up, of one reader or ("") of all.
func (j *Journal) GivenUp(reader string) ([]GivenUp, error) { return nil, errStub }

// User returns the user in effect under a user ID or alias.
func (j *Journal) User(id string) (View, bool, error) { return View{}, false, errStub }

// Users calls fn with every user in effect; fn may call the journal.
func (j *Journal) Users(ctx context.Context, fn func(View) error) error { return errStub }

// Owner returns who holds a credential in effect here.
func (j *Journal) Owner(k protocol.CredentialKey) (userID string, ok bool, err error) {
	return "", false, errStub
}

// Revoked reports whether the office has revoked the credential.
func (j *Journal) Revoked(k protocol.CredentialKey) bool { return false }

// Settings returns what the center decided for the site, defaults if it never said.
func (j *Journal) Settings() wire.Settings { return wire.Settings{} }

// Subscription tells which users changed.
type Subscription struct{}

// Subscribe starts a subscription to changed users.
func (j *Journal) Subscribe() *Subscription { return nil }

// C wakes when there is something to take.
func (s *Subscription) C() <-chan struct{} { return nil }

// Take returns the IDs of the users that changed since the last Take, or all.
func (s *Subscription) Take() (ids []string, all bool) { return nil, false }

// Close ends the subscription.
func (s *Subscription) Close() {}

// State returns where the journal stands.
func (j *Journal) State() State { return State{} }

// Pending returns stored entries after a number, at least one if there is one.
func (j *Journal) Pending(after uint64, maxEntries, maxBytes int) ([]RawEntry, error) {
	return nil, errStub
}

// Appended wakes the uplink after entries were added.
func (j *Journal) Appended() <-chan struct{} { return nil }

// Next returns a channel that is closed when the next entry is added, for any
// number of followers.
func (j *Journal) Next() <-chan struct{} { return nil }

// HashAt returns the hash of the entry of a number, nil if it is not known.
func (j *Journal) HashAt(number uint64) ([]byte, error) { return nil, errStub }

// Confirm takes in what the center has taken.
func (j *Journal) Confirm(ctx context.Context, c wire.Confirm) error { return errStub }

// NewEpoch starts a new epoch at the number after the last confirmed one.
func (j *Journal) NewEpoch(ctx context.Context, why string) error { return errStub }

// Apply stores consecutive changes of the roster in one transaction.
func (j *Journal) Apply(ctx context.Context, changes ...wire.Changes) error { return errStub }

// Buckets returns the digests of all buckets of users held.
func (j *Journal) Buckets() [wire.Buckets]wire.Sum { return [wire.Buckets]wire.Sum{} }

// Digest returns the sums of the users in some buckets, by GUID.
func (j *Journal) Digest(ctx context.Context, buckets []uint8) (map[string][]byte, error) {
	return nil, errStub
}

// Query selects entries. The zero Query selects all, oldest first.
type Query struct {
	Since, Until time.Time // [Since, Until); zero: open
	User         string
	Reader       string
	Events       []protocol.Event
	Origin       string // OriginReader, OriginCentral or OriginAgent
	From         uint64 // first number when oldest first, last when newest first; 0: from the end
	Newest       bool   // newest first
	Limit        int    // 0: all
}

// Entries yields the entries that a query selects.
func (j *Journal) Entries(q Query) iter.Seq2[protocol.Entry, error] { return nil }

// VerifyReport is what Verify found.
type VerifyReport struct {
	Entries uint64   `json:"entries"`
	Users   uint64   `json:"users"`
	First   uint64   `json:"first"`
	Last    uint64   `json:"last"`
	Faults  []string `json:"faults"`
}

// Verify proves that no entry was changed, removed or moved and that the users
// held are as the center sent them.
func (j *Journal) Verify(ctx context.Context, progress func(done, total uint64)) (VerifyReport, error) {
	return VerifyReport{}, errStub
}

// Trim removes confirmed entries older than Retain. Run does it by itself.
func (j *Journal) Trim(ctx context.Context) error { return errStub }
