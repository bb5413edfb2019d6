package roster_test

import (
	"context"
	"errors"
	"sync"

	"doorsync/cloud/roster"
	"doorsync/protocol"
	"doorsync/protocol/wire"
)

var errDisk = errors.New("the disk failed")

// nth is a store of which one call fails, whichever it is: a read or a write
// within a transaction, or its commit.
type nth struct {
	roster.Store

	mu    sync.Mutex // imports write from a goroutine of their own
	left  int        // calls until then
	armed bool       // or none fails
	views bool       // calls of views count, and those of transactions do not
	last  string
}

// call is one that may be it.
func (n *nth) call(what string, view bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.armed || view != n.views {
		return nil
	}
	if n.left--; n.left == 0 {
		n.last = what
		return errDisk
	}
	return nil
}

func (n *nth) Update(ctx context.Context, fn func(roster.Tx) error) error {
	return n.Store.Update(ctx, func(tx roster.Tx) error {
		if err := fn(nthTx{nthView{tx, n, false}, tx}); err != nil {
			return err
		}
		return n.call("commit", false)
	})
}

func (n *nth) View(ctx context.Context, fn func(roster.View) error) error {
	return n.Store.View(ctx, func(v roster.View) error { return fn(nthView{v, n, true}) })
}

type nthView struct {
	v    roster.View
	n    *nth
	view bool // not part of a transaction
}

type nthTx struct {
	nthView
	tx roster.Tx
}

var _ roster.Tx = nthTx{}

func (v nthView) User(guid string) (a roster.UserRow, ok bool, err error) {
	if err = v.n.call("User", v.view); err != nil {
		return a, ok, err
	}
	return v.v.User(guid)
}

func (v nthView) UsersSince(revision uint64, fn func(*roster.UserRow) bool) error {
	if err := v.n.call("UsersSince", v.view); err != nil {
		return err
	}
	return v.v.UsersSince(revision, fn)
}

func (v nthView) UsersFrom(guid string, fn func(*roster.UserRow) bool) error {
	if err := v.n.call("UsersFrom", v.view); err != nil {
		return err
	}
	return v.v.UsersFrom(guid, fn)
}

func (v nthView) Heads(sort string, guid string, fn func(*roster.UserRow) bool) error {
	if err := v.n.call("Heads", v.view); err != nil {
		return err
	}
	return v.v.Heads(sort, guid, fn)
}

func (v nthView) Grave(guid string) (a roster.Grave, ok bool, err error) {
	if err = v.n.call("Grave", v.view); err != nil {
		return a, ok, err
	}
	return v.v.Grave(guid)
}

func (v nthView) ID(site string, id string) (a roster.IDRow, ok bool, err error) {
	if err = v.n.call("ID", v.view); err != nil {
		return a, ok, err
	}
	return v.v.ID(site, id)
}

func (v nthView) IDsOf(guid string) (a []roster.IDRow, err error) {
	if err = v.n.call("IDsOf", v.view); err != nil {
		return a, err
	}
	return v.v.IDsOf(guid)
}

func (v nthView) SiteIDs() (a []roster.IDRow, err error) {
	if err = v.n.call("SiteIDs", v.view); err != nil {
		return a, err
	}
	return v.v.SiteIDs()
}

func (v nthView) Holder(k protocol.CredentialKey) (a string, ok bool, err error) {
	if err = v.n.call("Holder", v.view); err != nil {
		return a, ok, err
	}
	return v.v.Holder(k)
}

func (v nthView) Revoked() (a []roster.RevokedRow, err error) {
	if err = v.n.call("Revoked", v.view); err != nil {
		return a, err
	}
	return v.v.Revoked()
}

func (v nthView) Known(site string, from uint64, fn func(protocol.EntryID)) error {
	if err := v.n.call("Known", v.view); err != nil {
		return err
	}
	return v.v.Known(site, from, fn)
}

func (v nthView) Events(q roster.EventFilter, fn func(*roster.Event) bool) error {
	if err := v.n.call("Events", v.view); err != nil {
		return err
	}
	return v.v.Events(q, fn)
}

func (v nthView) Verdicts(site string, epoch string, after uint64, upTo uint64) (a []wire.Verdict, err error) {
	if err = v.n.call("Verdicts", v.view); err != nil {
		return a, err
	}
	return v.v.Verdicts(site, epoch, after, upTo)
}

func (v nthView) Sites() (a []roster.SiteRow, err error) {
	if err = v.n.call("Sites", v.view); err != nil {
		return a, err
	}
	return v.v.Sites()
}

func (v nthView) Epochs() (a []roster.EpochRow, err error) {
	if err = v.n.call("Epochs", v.view); err != nil {
		return a, err
	}
	return v.v.Epochs()
}

func (v nthView) Meta() (a roster.Meta, ok bool, err error) {
	if err = v.n.call("Meta", v.view); err != nil {
		return a, ok, err
	}
	return v.v.Meta()
}

func (v nthView) Groups() (a []string, err error) {
	if err = v.n.call("Groups", v.view); err != nil {
		return a, err
	}
	return v.v.Groups()
}

func (v nthView) SourceRows() (a []roster.SourceRow, err error) {
	if err = v.n.call("SourceRows", v.view); err != nil {
		return a, err
	}
	return v.v.SourceRows()
}

func (v nthView) Named(s protocol.Source, after roster.Identity, fn func(roster.SourceUser) bool) error {
	if err := v.n.call("Named", v.view); err != nil {
		return err
	}
	return v.v.Named(s, after, fn)
}

func (v nthView) NamedOne(s protocol.Source, id roster.Identity) (a roster.SourceUser, ok bool, err error) {
	if err = v.n.call("NamedOne", v.view); err != nil {
		return a, ok, err
	}
	return v.v.NamedOne(s, id)
}

func (v nthView) NamedBy(guid string) (a []roster.NamedUser, err error) {
	if err = v.n.call("NamedBy", v.view); err != nil {
		return a, err
	}
	return v.v.NamedBy(guid)
}

func (v nthView) Keys(from roster.KeyHash, fn func(roster.KeyRow) bool) error {
	if err := v.n.call("Keys", v.view); err != nil {
		return err
	}
	return v.v.Keys(from, fn)
}

func (v nthView) KeyHolders(k roster.KeyHash) (a []string, err error) {
	if err = v.n.call("KeyHolders", v.view); err != nil {
		return a, err
	}
	return v.v.KeyHolders(k)
}

func (v nthView) MergeOf(guid string) (a roster.MergeRow, ok bool, err error) {
	if err = v.n.call("MergeOf", v.view); err != nil {
		return a, ok, err
	}
	return v.v.MergeOf(guid)
}

func (v nthView) Runs(s protocol.Source, fn func(roster.RunRow) bool) error {
	if err := v.n.call("Runs", v.view); err != nil {
		return err
	}
	return v.v.Runs(s, fn)
}

func (v nthView) Run(s protocol.Source, number uint64) (a roster.RunRow, ok bool, err error) {
	if err = v.n.call("Run", v.view); err != nil {
		return a, ok, err
	}
	return v.v.Run(s, number)
}

func (v nthView) Mails(after uint64, fn func(roster.MailRow) bool) error {
	if err := v.n.call("Mails", v.view); err != nil {
		return err
	}
	return v.v.Mails(after, fn)
}

func (v nthView) Contested(guid string, fn func(*roster.UserRow) bool) error {
	if err := v.n.call("Contested", v.view); err != nil {
		return err
	}
	return v.v.Contested(guid, fn)
}

func (v nthView) CountUsers() (a int, err error) {
	if err = v.n.call("CountUsers", v.view); err != nil {
		return a, err
	}
	return v.v.CountUsers()
}

func (v nthView) FieldRows() (a []protocol.Custom, err error) {
	if err = v.n.call("FieldRows", v.view); err != nil {
		return a, err
	}
	return v.v.FieldRows()
}
