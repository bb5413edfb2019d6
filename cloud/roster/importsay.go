package roster

import (
	"slices"

	"doorsync/protocol"
)

// news is what of a source's words is new.
type news struct {
	any    bool
	values []protocol.Field // said now and not before, or otherwise
}

// contribution is what the source says about a user from now on: exactly what
// the words say. What it said before keeps its stamp; what it no longer says is
// withdrawn.
func (im *importing) contribution(u *user, s *saying) (protocol.Contribution, news, error) {
	var n news
	old := contributionOf(u.contributions, im.source.Name)
	c := protocol.Contribution{Source: im.source.Name, Values: im.values(old, s, &n)}
	var err error
	if c.Credentials, err = im.credentials(u, old, s, &n); err != nil {
		return c, n, err
	}
	c.Groups, err = im.groups(old, s, &n)
	return c, n, err
}

func (im *importing) values(old protocol.Contribution, s *saying, n *news) map[protocol.Field]protocol.Said {
	out := make(map[protocol.Field]protocol.Said, max(len(s.values)+1, len(old.Values)))
	say := func(f protocol.Field, v protocol.Value) {
		was, ok := old.Values[f]
		if ok && was.Latest.Value == v && !was.Latest.Blank {
			out[f] = was
			return
		}
		st := protocol.Statement{Value: v, Stamp: im.at}
		out[f] = protocol.Said{First: st, Latest: st}
		n.any = true
		n.values = append(n.values, f)
	}
	for f, v := range s.values {
		if v = v.Trimmed(); !v.IsNull() && f != protocol.FieldUserID {
			say(f, v)
		}
	}
	if s.id != "" {
		say(protocol.FieldUserID, protocol.Text(s.id))
	}
	for f, was := range old.Values {
		if _, ok := out[f]; ok {
			continue
		}
		if out[f] = was; !was.Latest.Vacant() {
			out[f] = im.nothing()
			n.any = true
		}
	}
	return out
}

// nothing is that a source no longer says a value.
func (im *importing) nothing() protocol.Said {
	st := protocol.Statement{Stamp: im.at}
	return protocol.Said{First: st, Latest: st}
}

func (im *importing) credentials(u *user, old protocol.Contribution, s *saying, n *news) (map[protocol.CredentialKey]protocol.Element, error) {
	out := make(map[protocol.CredentialKey]protocol.Element, max(len(s.credentials), len(old.Credentials)))
	for _, cr := range s.credentials {
		k := cr.Key()
		if _, twice := out[k]; twice {
			continue
		}
		state, err := im.standing(u, k)
		if err != nil {
			return nil, err
		}
		was, ok := old.Credentials[k]
		if ok && was.State == state {
			out[k] = was
			continue
		}
		out[k] = protocol.Element{Credential: cr, State: state, Stamp: im.at}
		n.any = true
	}
	for k, was := range old.Credentials {
		if _, ok := out[k]; ok {
			continue
		}
		if was.State != protocol.Withdrawn {
			was.State, was.Stamp = protocol.Withdrawn, im.at
			n.any = true
		}
		out[k] = was
	}
	return out, nil
}

// standing is what becomes of a credential that the source gives the user. One
// that is revoked but the user's own is given, for the day on which it is
// allowed again.
func (im *importing) standing(u *user, k protocol.CredentialKey) (protocol.Giving, error) {
	why, mine, err := im.w.refusal(u, k)
	if err != nil || mine || why.nothing() {
		return protocol.Given, err
	}
	return protocol.Refused, nil
}

func (im *importing) groups(old protocol.Contribution, s *saying, n *news) (map[string]protocol.Membership, error) {
	out := make(map[string]protocol.Membership, max(len(s.groups), len(old.Groups)))
	for _, g := range s.groups {
		name, err := im.w.group(g)
		if err != nil {
			return nil, err
		}
		was, ok := old.Groups[name]
		if !ok || was.State != protocol.Given {
			was = protocol.Membership{State: protocol.Given, Stamp: im.at}
			n.any = true
		}
		out[name] = was
	}
	for g, was := range old.Groups {
		if _, ok := out[g]; ok {
			continue
		}
		if was.State != protocol.Withdrawn {
			was = protocol.Membership{State: protocol.Withdrawn, Stamp: im.at}
			n.any = true
		}
		out[g] = was
	}
	return out, nil
}

// withdrawn is a contribution all of which was taken back.
func (im *importing) withdrawn(old protocol.Contribution) (c protocol.Contribution, changed bool) {
	c = old.Clone()
	for f, was := range c.Values {
		if !was.Latest.Vacant() {
			c.Values[f], changed = im.nothing(), true
		}
	}
	for k, was := range c.Credentials {
		if was.State != protocol.Withdrawn {
			was.State, was.Stamp, changed = protocol.Withdrawn, im.at, true
			c.Credentials[k] = was
		}
	}
	for g, was := range c.Groups {
		if was.State != protocol.Withdrawn {
			c.Groups[g], changed = protocol.Membership{State: protocol.Withdrawn, Stamp: im.at}, true
		}
	}
	return c, changed
}

// refusedOf are the credentials of a contribution that are refused, in order.
func refusedOf(c protocol.Contribution) []protocol.CredentialKey {
	var out []protocol.CredentialKey
	for k, e := range c.Credentials {
		if e.State == protocol.Refused {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// introducers are the sources by which a user came to be known. What was written
// before that was kept tells only whether a site enrolled the user.
func (u *user) introducers() []protocol.Source {
	switch {
	case len(u.row.Known) > 0:
		return u.row.Known
	case u.row.EnrolledBy != "":
		return []protocol.Source{protocol.SourceReaders}
	default:
		return []protocol.Source{protocol.SourceOffice}
	}
}

// introduce notes that the source names the user.
func (w *work) introduce(u *user, s protocol.Source) {
	known := u.introducers()
	if slices.Contains(known, s) {
		return
	}
	u.row.Known = append(slices.Clone(known), s)
	slices.Sort(u.row.Known)
	u.introduced = true
	w.touch(u, "")
}

// forgets notes that the source no longer names the user. Somebody must have
// introduced them, so the last one stays.
func (w *work) forgets(u *user, s protocol.Source) {
	known := u.introducers()
	if len(known) == 1 || !slices.Contains(known, s) {
		return
	}
	u.row.Known = slices.DeleteFunc(slices.Clone(known), func(o protocol.Source) bool { return o == s })
	u.introduced = true
	w.touch(u, "")
}

// without is a user's contributions but for one source's.
func without(cs []protocol.Contribution, s protocol.Source) []protocol.Contribution {
	return slices.DeleteFunc(slices.Clone(cs), func(c protocol.Contribution) bool { return c.Source == s })
}
