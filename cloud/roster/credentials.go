package roster

import (
	"context"
	"fmt"
	"slices"

	"doorsync/protocol"
)

// Revoke makes a credential open nothing at any site, whoever gives it.
func (r *Roster) Revoke(ctx context.Context, a Actor, k protocol.CredentialKey) error {
	err := r.update(ctx, func(w *work) error {
		if !slices.Contains(protocol.Kinds(), k.Credential().Kind) || k.Credential().Kind == protocol.KindPIN {
			return invalid("credential %s cannot be revoked", k)
		}
		if _, ok := w.revocation(k); ok {
			return errUnchanged
		}
		return w.revoke(a, k)
	})
	if err = quiet(err); err != nil {
		return fmt.Errorf("revoke credential: %w", err)
	}
	return nil
}

func (w *work) revoke(a Actor, k protocol.CredentialKey) error {
	row := RevokedRow{Key: k, Stamp: w.stamp(), By: a.String()}
	w.resettle()
	guid, err := w.holder(k)
	if err != nil {
		return err
	}
	if guid == "" {
		w.revoked[k] = &row
		w.note(a, protocol.EventOfficeChanged, nil, "revoked "+k.String())
		return nil
	}
	u, err := w.user(guid)
	if err != nil {
		return err
	}
	c := contributionOf(u.contributions, protocol.SourceOffice).Clone()
	row.GUID, row.Before = guid, c.Credentials[k].State
	w.revoked[k] = &row
	held, _ := u.held(k)
	c.SetCredential(held.Credential, protocol.Revoked, row.Stamp)
	w.restate(u, c)
	w.note(a, protocol.EventOfficeChanged, u, "revoked "+k.String())
	return nil
}

// restate puts the office's contribution in place of what it was.
func (w *work) restate(u *user, c protocol.Contribution) {
	u.contributions = withContribution(u.contributions, c)
	w.touch(u, "")
	w.refold(u)
}

// resettle gives what every site must know a new revision.
func (w *work) resettle() {
	w.meta.Revision++
	w.meta.Settings = w.meta.Revision
}

// Allow ends a revocation.
func (r *Roster) Allow(ctx context.Context, a Actor, k protocol.CredentialKey) error {
	err := r.update(ctx, func(w *work) error {
		row, ok := w.revocation(k)
		if !ok {
			return fmt.Errorf("%s: %w among the revoked credentials", k, ErrNotFound)
		}
		w.revoked[k] = nil
		w.resettle()
		if row.GUID == "" {
			w.note(a, protocol.EventOfficeChanged, nil, "allowed "+k.String())
			return nil
		}
		u, err := w.follow(row.GUID)
		if err != nil {
			return err
		}
		w.note(a, protocol.EventOfficeChanged, u, "allowed "+k.String())
		if u.removed() {
			return nil
		}
		// The office says again what it said before, so that the credential is
		// given by whoever gave it.
		state := protocol.Withdrawn
		if row.Before == protocol.Given {
			state = protocol.Given
		}
		c := contributionOf(u.contributions, protocol.SourceOffice).Clone()
		c.Mark(k, state, w.stamp())
		w.restate(u, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("allow credential: %w", err)
	}
	return nil
}

// Revoked lists revoked credentials.
func (r *Roster) Revoked(ctx context.Context) ([]RevokedView, error) {
	var out []RevokedView
	err := r.store.View(ctx, func(v View) error {
		rows, err := v.Revoked()
		if err != nil {
			return err
		}
		for _, row := range rows {
			one := RevokedView{Key: row.Key, Stamp: row.Stamp, By: row.By}
			if u, ok, err := r.read(v, row.GUID); err != nil {
				return err
			} else if ok {
				one.Holder = u.ID
			}
			out = append(out, one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list revoked credentials: %w", err)
	}
	return out, nil
}
