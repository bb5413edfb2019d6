package api

import (
	"context"
	"errors"
	"slices"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// into checks what the request says and adds it to a patch of the roster.
func (p Patch) into(out *roster.Patch) error {
	out.Set = make(map[protocol.Field]protocol.Value, len(p.Set))
	for name, text := range p.Set {
		f, v, err := value(name, text)
		if err != nil {
			return err
		}
		out.Set[f] = v
	}
	if p.PIN != "" {
		out.Set[protocol.FieldPIN] = protocol.Text(p.PIN)
	}
	var err error
	if out.Blank, err = fields("body.blank", p.Blank); err != nil {
		return err
	}
	if out.Withdraw, err = fields("body.withdraw", p.Withdraw); err != nil {
		return err
	}
	for _, c := range p.Give {
		given := c.credential()
		if err := given.Valid(); err != nil {
			return invalid("body.give", err.Error(), "")
		}
		out.Give = append(out.Give, given)
	}
	for _, k := range p.Take {
		out.TakeBack = append(out.TakeBack, protocol.CredentialKey(k))
	}
	out.Join, out.Leave = p.Join, p.Leave
	return nil
}

// value checks one value that is set by its field's name.
func value(name, text string) (protocol.Field, protocol.Value, error) {
	f, v := protocol.Field(name), protocol.Text(text)
	where := "body.set." + name
	switch {
	case f == protocol.FieldPIN:
		return "", v, invalid("body.set", "the PIN has a place of its own", `write "pin" beside "set"`)
	case f == protocol.FieldValidity || name == "activates_at" || name == "expires_at":
		return "", v, invalid("body.set", "the validity has a place of its own", `write "validity" beside "set"`)
	case f == protocol.FieldPicture:
		return "", v, invalid("body.set", "pictures cannot be set yet", "")
	case !f.Known():
		return "", v, invalid(where, "there is no such field", "fields of your own start with "+protocol.CustomPrefix)
	case v.IsNull():
		return "", v, invalid(where, "the value is empty", "name the field in blank to hold it empty, or in withdraw to say nothing about it")
	case f == protocol.FieldState && !slices.Contains([]string{protocol.StateActive, protocol.StateInactive}, v.First):
		return "", v, invalid(where, "a state is active or inactive", "")
	}
	return f, v, nil
}

func fields(where string, names []string) ([]protocol.Field, error) {
	out := make([]protocol.Field, 0, len(names))
	for _, n := range names {
		f := protocol.Field(n)
		if n == "activates_at" || n == "expires_at" {
			f = protocol.FieldValidity
		}
		if !f.Known() {
			return nil, invalid(where, "there is no field "+n, "fields of your own start with "+protocol.CustomPrefix)
		}
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out, nil
}

func (c NewCredential) credential() protocol.Credential {
	out := protocol.Credential{
		Kind: protocol.Kind(c.Kind), Format: c.Format, Number: c.Number, Bits: c.Bits,
		Slot: c.Finger, Template: c.Template, Duress: c.Duress,
	}
	if out.Kind == protocol.KindCard && out.Format == "" {
		out.Format = protocol.FormatNumber
	}
	return out
}

// span completes a change of the validity by the end that it does not name:
// both are held by one source, and naming one must not open the other.
func (s *service) span(ctx context.Context, id string, change Span) (protocol.Value, error) {
	v := protocol.Value{}
	if change.ActivatesAt == nil || change.ExpiresAt == nil {
		now, err := s.roster.User(ctx, id)
		if err != nil && !errors.Is(err, roster.ErrNotFound) {
			return v, err
		}
		v = now.User.Value(protocol.FieldValidity)
	}
	if change.ActivatesAt != nil {
		v.First = *change.ActivatesAt
	}
	if change.ExpiresAt != nil {
		v.Second = *change.ExpiresAt
	}
	span, err := protocol.ParseValidity(v.Trimmed())
	if err != nil {
		return v, invalid("body.validity", err.Error(), "")
	}
	if !span.ActivatesAt.IsZero() && !span.ExpiresAt.IsZero() && !span.ActivatesAt.Before(span.ExpiresAt) {
		return v, invalid("body.validity", "the user would expire before becoming active", "")
	}
	return span.Value(), nil
}
