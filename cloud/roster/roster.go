package roster

import (
	"context"
	"log/slog"
	"time"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// Options are what a Roster needs besides its store; all have defaults.
type Options struct {
	Now         func() time.Time // for stamps and arrival
	Logger      *slog.Logger
	DefaultMode string // of sites; wire.ModeAllReaders if empty
	CacheBytes  int    // for decoded users; 48 MiB if 0
}

// Roster is the list of all users. It is safe for use by several goroutines.
type Roster struct{ store Store }

// Open reads the roster in store, or begins one. It does not close the store.
func Open(ctx context.Context, store Store, o Options) (*Roster, error) { panic("stub") }

// Revision is that of the last commit.
func (r *Roster) Revision() uint64 { panic("stub") }

// ID is the random ID of this roster, in which revisions count.
func (r *Roster) ID() string { panic("stub") }

// Committed returns a channel that receives after commits (several commits may
// come to one wake-up), and a function that ends it.
func (r *Roster) Committed() (<-chan struct{}, func()) { panic("stub") }

// SiteBatch is consecutive journal entries of one site's epoch.
type SiteBatch struct {
	Site, Session, Epoch string
	Entries              []protocol.Entry
}

// Hello takes in how a site presents itself and answers what was taken of it.
func (r *Roster) Hello(ctx context.Context, site string, h wire.Hello) (wire.Confirm, error) {
	panic("stub")
}

// Hear takes in batches of several sites in one transaction and returns one
// Confirm for each, in order. A batch that cannot be taken is answered (Gap,
// NewEpoch, or a zero Confirm for an unknown site) and does not fail the
// others. After an error nothing was taken.
func (r *Roster) Hear(ctx context.Context, batches []SiteBatch) ([]wire.Confirm, error) {
	panic("stub")
}

// Changes returns what a site needs after a revision, at most about maxBytes; a
// single larger user goes alone. cursor is Page.Cursor of the page before while
// a snapshot is under way. Pass after 0 to a site that held another roster.
// With nothing to send, Users is empty and From equals To; Journal may have
// moved on all the same (an edit that changed nothing) and is worth sending.
// Session is the caller's to set.
func (r *Roster) Changes(ctx context.Context, site string, after uint64, cursor []byte, maxBytes int) (wire.Changes, error) {
	panic("stub")
}

// SiteDigest is what a caught-up site's digests should be at Revision.
func (r *Roster) SiteDigest(ctx context.Context, site string) (digest [wire.Buckets]wire.Sum, err error) {
	panic("stub")
}

// Mend compares the users of some buckets, as the site holds them at
// d.Revision, and returns what puts them right: Changes with Mend set, without
// Users when all agree. More says that another round is needed.
func (r *Roster) Mend(ctx context.Context, site string, d wire.Digest) (wire.Changes, error) {
	panic("stub")
}

// SetReaders stores the states of a site's readers.
func (r *Roster) SetReaders(ctx context.Context, site string, states []wire.ReaderState) error {
	panic("stub")
}

// Seen stores that a site came online or went.
func (r *Roster) Seen(ctx context.Context, site string, online bool) error { panic("stub") }

// CheckKey reports whether this is the site's key.
func (r *Roster) CheckKey(site, key string) bool { panic("stub") }

// HasSite reports whether the site was added.
func (r *Roster) HasSite(site string) bool { panic("stub") }

// Users lists users.
func (r *Roster) Users(ctx context.Context, q Query) (Page, error) { panic("stub") }

// User finds a user by user ID (or alias) or GUID.
func (r *Roster) User(ctx context.Context, idOrGUID string) (UserView, error) { panic("stub") }

// Put changes a user, or creates one under a free user ID.
func (r *Roster) Put(ctx context.Context, a Actor, idOrGUID string, p Patch) (UserView, error) {
	panic("stub")
}

// Delete takes a user away everywhere. It can be restored.
func (r *Roster) Delete(ctx context.Context, a Actor, idOrGUID string) error { panic("stub") }

// Restore brings a deleted user back as it was; credentials that others have
// got meanwhile stay theirs.
func (r *Roster) Restore(ctx context.Context, a Actor, idOrGUID string) (UserView, error) {
	panic("stub")
}

// Explain tells for everything about a user who said what.
func (r *Roster) Explain(ctx context.Context, idOrGUID string) ([]Explained, error) { panic("stub") }

// Conflicts lists users that wait for a person to merge or renumber them.
func (r *Roster) Conflicts(ctx context.Context) ([]Conflict, error) { panic("stub") }

// Resolve ends a conflict.
func (r *Roster) Resolve(ctx context.Context, a Actor, guid string, res Resolution) (UserView, error) {
	panic("stub")
}

// Merge makes one user of two; the older one's GUID survives, and every user ID
// of both goes on finding it.
func (r *Roster) Merge(ctx context.Context, a Actor, one, other string) (UserView, error) {
	panic("stub")
}

// Revoke makes a credential open nothing at any site, whoever gives it.
func (r *Roster) Revoke(ctx context.Context, a Actor, k protocol.CredentialKey) error {
	panic("stub")
}

// Allow ends a revocation.
func (r *Roster) Allow(ctx context.Context, a Actor, k protocol.CredentialKey) error {
	panic("stub")
}

// Revoked lists revoked credentials.
func (r *Roster) Revoked(ctx context.Context) ([]RevokedView, error) { panic("stub") }

// Sites lists all sites by name.
func (r *Roster) Sites(ctx context.Context) ([]SiteView, error) { panic("stub") }

// Site shows one site.
func (r *Roster) Site(ctx context.Context, name string) (SiteView, error) { panic("stub") }

// AddSite adds a site and returns its key, which is not stored and cannot be
// shown again.
func (r *Roster) AddSite(ctx context.Context, a Actor, name string, s SiteSettings) (key string, err error) {
	panic("stub")
}

// RenewKey gives a site a new key; the old one no longer works.
func (r *Roster) RenewKey(ctx context.Context, a Actor, name string) (key string, err error) {
	panic("stub")
}

// SetSite changes what was set about a site.
func (r *Roster) SetSite(ctx context.Context, a Actor, name string, s SiteSettings) (SiteView, error) {
	panic("stub")
}

// Rules are those in force.
func (r *Roster) Rules() protocol.Rules { panic("stub") }

// Sources lists the sources in their order.
func (r *Roster) Sources(ctx context.Context) ([]SourceView, error) { panic("stub") }

// SetOrder puts new rules in force and computes every user anew.
func (r *Roster) SetOrder(ctx context.Context, a Actor, rules protocol.Rules) error { panic("stub") }

// Events lists the log.
func (r *Roster) Events(ctx context.Context, q EventQuery) ([]Event, error) { panic("stub") }
