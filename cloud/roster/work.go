package roster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"doorsync/protocol"
)

// work is one transaction: what it read and what it means to change. Nothing of
// it reaches the roster's memory before the commit.
type work struct {
	r    *Roster
	tx   Tx
	now  time.Time
	meta Meta

	users   map[string]*user // by GUID; copies
	order   []*user          // those changed, in the order in which they were
	byID    map[string]IDRow // user IDs that changed hands
	freed   map[string]bool  // user IDs that find nobody any more
	siteIDs map[siteID]*IDRow
	holders map[protocol.CredentialKey]string // "" is nobody
	revoked map[protocol.CredentialKey]*RevokedRow
	fields  map[protocol.Field]*protocol.Custom // written already
	sites   map[string]*SiteRow
	epochs  map[siteID]EpochRow

	events   []Event
	verdicts []VerdictRow

	sources map[protocol.Source]*SourceRow // written already; nil was dropped
	groups  map[string]string              // written already; spelling by what it folds to
	keys    *keyPlan                       // what of users is in the index of global keys
	named   []SourceUser                   // rows of the source that is imported
	namedIn protocol.Source
	spilled *spilled // nil while all that was changed is in memory
	ahead   *ahead   // what is being written; nil if nothing is
	unseen  *unseen  // nil while the store is asked

	passing bool // users come by in passing: they do not drive others out of the cache
}

func newWork(r *Roster) work {
	return work{
		r: r, meta: r.state.meta, keys: r.state.keys, users: map[string]*user{}, byID: map[string]IDRow{},
		freed: map[string]bool{}, siteIDs: map[siteID]*IDRow{}, holders: map[protocol.CredentialKey]string{},
		revoked: map[protocol.CredentialKey]*RevokedRow{}, sites: map[string]*SiteRow{}, epochs: map[siteID]EpochRow{},
	}
}

// update runs fn as one transaction, and takes what it did into memory after
// the commit has returned.
func (r *Roster) update(ctx context.Context, fn func(*work) error) error {
	r.waiting.Add(1)
	r.writing.Lock()
	r.waiting.Add(-1)
	defer r.writing.Unlock()
	var done *work
	err := r.store.Update(ctx, func(tx Tx) error {
		w := newWork(r)
		w.tx, w.now = tx, r.now()
		err := fn(&w)
		// Nobody writes when the transaction ends.
		if failed := w.written(); failed != nil && (err == nil || errors.Is(err, errDry)) {
			err = failed
		}
		if err != nil {
			return err
		}
		done = &w
		return w.flush()
	})
	if err != nil {
		return err
	}
	r.absorb(done)
	return nil
}

// user returns the transaction's copy of a user.
func (w *work) user(guid string) (*user, error) {
	u, err := w.outline(guid)
	if err != nil {
		return nil, err
	}
	return u, u.complete(w.r.codec)
}

// outline is user without credentials and groups, unless the transaction needed
// them already: most edits are about values alone.
func (w *work) outline(guid string) (*user, error) {
	if u, ok := w.users[guid]; ok {
		return u.told(), nil
	}
	known := w.cached(guid)
	if known == nil {
		var err error
		if known, err = w.load(guid); err != nil {
			return nil, err
		}
	}
	u, err := outlineOf(w.r.codec, known)
	if err != nil {
		return nil, err
	}
	w.users[guid] = u
	return u, nil
}

// load reads what is cached of a user.
func (w *work) load(guid string) (*storedUser, error) {
	if err := w.written(); err != nil {
		return nil, err
	}
	row, ok, err := w.tx.User(guid)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("user %s: %w", guid, ErrNotFound)
	}
	ids, err := idsOf(w.tx, guid)
	if err != nil {
		return nil, err
	}
	return &storedUser{row: row, ids: ids}, nil
}

// idsOf are the user IDs that find a user everywhere.
func idsOf(v IndexReader, guid string) ([]IDRow, error) {
	ids, err := v.IDsOf(guid)
	return slices.DeleteFunc(ids, func(row IDRow) bool { return row.Site != "" }), err
}

// noRow is what there was of a new user. Nobody writes to it.
var noRow UserRow

// newUser begins a user at a revision of its own.
func (w *work) newUser(by protocol.Source, enrolledBy, conflictAt string) (*user, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("new user: %w", err)
	}
	u := &user{row: UserRow{
		GUID: id.String(), Site: conflictAt, EnrolledBy: enrolledBy, Known: []protocol.Source{by},
	}, was: &noRow, whole: true}
	u.record.GUID, u.record.Site = u.row.GUID, u.row.Site
	w.users[u.row.GUID] = u
	w.touch(u, enrolledBy)
	w.claim(u)
	u.row.Created = u.row.Revision
	return u, nil
}

// touch notes that a user is changed, and by whom.
func (w *work) touch(u *user, by string) {
	if !u.dirty {
		u.dirty = true
		w.order = append(w.order, u)
	}
	if !slices.Contains(u.touched, by) {
		u.touched = append(slices.Clone(u.touched), by)
	}
}

// claim gives the user the next revision, once in a transaction.
func (w *work) claim(u *user) {
	if u.claimed {
		return
	}
	w.meta.Revision++
	u.claimed = true
	u.row.Revision = w.meta.Revision
}

// refold computes the record anew and keeps the index of holders with it.
func (w *work) refold(u *user) {
	before := *u
	u.fold(w.meta.Rules)
	for _, k := range before.keys {
		if _, held := before.held(k); held {
			if _, still := u.held(k); !still {
				w.holders[k] = ""
			}
		}
	}
	for _, k := range u.keys {
		if _, held := u.held(k); held {
			if _, already := before.held(k); !already {
				w.hold(k, u.row.GUID)
			}
		}
	}
}

// say joins a word of one source, and computes anew what it speaks of. A word on
// more than values needs the whole user.
func (w *work) say(u *user, word protocol.Contribution) {
	own := contributionOf(u.contributions, word.Source)
	u.contributions = withContribution(u.contributions, protocol.JoinShared(own, word))
	if u.whole {
		w.refold(u)
		return
	}
	u.record = protocol.Refold(u.record, u.contributions, word, w.meta.Rules)
}

// holder returns the GUID of who has a credential, "" for nobody.
func (w *work) holder(k protocol.CredentialKey) (string, error) {
	if guid, ok := w.holders[k]; ok {
		return guid, nil
	}
	if w.unseen.lacks(string(k)) {
		return "", nil
	}
	if err := w.written(); err != nil {
		return "", err
	}
	guid, _, err := w.tx.Holder(k)
	return guid, err
}

// revocation returns the row of a revoked credential.
func (w *work) revocation(k protocol.CredentialKey) (RevokedRow, bool) {
	if row, ok := w.revoked[k]; ok {
		if row == nil {
			return RevokedRow{}, false
		}
		return *row, true
	}
	row, ok := w.r.state.revoked[k]
	return row, ok
}

// id returns whom a user ID finds everywhere.
func (w *work) id(id string) (IDRow, bool, error) {
	if row, ok := w.byID[id]; ok {
		return row, true, nil
	}
	if w.freed[id] {
		return IDRow{}, false, nil
	}
	if row, ok := w.cachedID(id); ok {
		return row, true, nil
	}
	if w.unseen.lacks(id) {
		return IDRow{}, false, nil
	}
	if err := w.written(); err != nil {
		return IDRow{}, false, err
	}
	return w.tx.ID("", id)
}

// siteID returns whom a user ID finds in the edits of one site.
func (w *work) siteID(site, id string) (IDRow, bool) {
	k := siteID{site, id}
	if row, ok := w.siteIDs[k]; ok {
		if row == nil {
			return IDRow{}, false
		}
		return *row, true
	}
	row, ok := w.r.state.siteIDs[k]
	return row, ok
}

// giveID lets a user ID find the user everywhere from now on, and nobody else.
func (w *work) giveID(u *user, row IDRow) error {
	old, ok, err := w.id(row.ID)
	if err != nil {
		return err
	}
	if ok && old.GUID != u.row.GUID {
		before, err := w.user(old.GUID)
		if err != nil {
			return err
		}
		before.ids = withoutID(before.ids, row.ID)
	}
	w.enterID(u, row)
	return nil
}

// enterID is giveID for an ID that nobody else has.
func (w *work) enterID(u *user, row IDRow) {
	row.GUID, row.Site = u.row.GUID, ""
	w.byID[row.ID] = row
	if w.unseen != nil {
		w.unseen.add(row.ID)
	}
	delete(w.freed, row.ID)
	// As the store returns them, or the user would differ, and go to every site
	// again, once it is read from there.
	u.ids = append(withoutID(u.ids, row.ID), row)
	slices.SortFunc(u.ids, byAge)
}

// byAge is the order of IndexReader.IDsOf, among rows of one reach.
func byAge(a, b IDRow) int {
	return cmp.Or(cmp.Compare(a.Since, b.Since), strings.Compare(a.ID, b.ID))
}

func withoutID(rows []IDRow, id string) []IDRow {
	return slices.DeleteFunc(slices.Clone(rows), func(o IDRow) bool { return o.ID == id })
}

// site returns the transaction's copy of a site's row.
func (w *work) site(name string) (*SiteRow, error) {
	if row, ok := w.sites[name]; ok {
		return row, nil
	}
	known, ok := w.r.state.sites[name]
	if !ok {
		return nil, fmt.Errorf("site %q: %w: add it at the center first", name, ErrUnknownSite)
	}
	row := *known
	w.sites[name] = &row
	return &row, nil
}

func (w *work) epoch(site, epoch string) (EpochRow, bool) {
	k := siteID{site, epoch}
	if row, ok := w.epochs[k]; ok {
		return row, true
	}
	row, ok := w.r.state.epochs[site][epoch]
	return row, ok
}

// stamp is the time of a change made at the center now.
func (w *work) stamp() protocol.Stamp {
	w.meta.Clock = protocol.Next(w.meta.Clock, w.now, "")
	return w.meta.Clock
}

// errUnchanged lets a transaction end without a commit.
var errUnchanged = errors.New("nothing changed")

// follow returns the user that a merged one has become.
func (w *work) follow(guid string) (*user, error) {
	u, err := w.followOutline(guid)
	if err != nil {
		return nil, err
	}
	return u, u.complete(w.r.codec)
}

func (w *work) followOutline(guid string) (*user, error) {
	for range 64 {
		u, err := w.outline(guid)
		if err != nil || u.row.MergedInto == "" {
			return u, err
		}
		guid = u.row.MergedInto
	}
	return nil, fmt.Errorf("user %s: %w: merged in a circle", guid, ErrDamaged)
}
