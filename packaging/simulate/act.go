package simulate

import (
	"context"
	"time"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// do lets one thing happen.
func (w *World) do(a Act) {
	s := w.sites[a.Site%len(w.sites)]
	r := s.readers[a.Reader%len(s.readers)]
	w.tell("---", "%s %s", s.name+"/"+r.name, a)
	switch {
	case w.atReader(a, r), w.atOffice(a, s), w.atMachine(a, s), w.atWires(a, s, r):
	default:
		w.fault("nobody knows how to %q", a.Do)
	}
}

// atReader is what people do at readers, and what readers do.
func (w *World) atReader(a Act, r *reader) bool {
	switch a.Do {
	case "enroll":
		t := typing{key: a.User, name: a.Text, enroll: true}
		if a.Number%3 > 0 {
			t.card = uint64(a.Number)
		}
		r.person(t)
	case "name":
		r.person(typing{key: a.User, name: a.Text})
	case "pin":
		r.person(typing{key: a.User, pin: a.Text})
	case "card":
		r.person(typing{key: a.User, card: uint64(a.Number)})
	case "nocard":
		r.person(typing{key: a.User, nocard: uint64(a.Number)})
	case "finger":
		r.person(typing{key: a.User, finger: finger(w.sc.Seed, a.Text)})
	case "dates at reader":
		r.person(typing{key: a.User, dates: dates(a.Number)})
	case "delete at reader":
		r.takeAway(a.User)
	case "forgets":
		r.forget(-1)
	case "swap":
		r.forget(a.Number)
	case "dark":
		w.during(a.For, func(on bool) { r.set(func(r *reader) { r.down = on }) })
	case "half":
		w.during(a.For, func(on bool) { r.set(func(r *reader) { r.half = on }) })
	case "touchy":
		w.during(a.For, func(on bool) { r.set(func(r *reader) { r.touchy = on }) })
	default:
		return false
	}
	return true
}

// finger is a template that is found again wherever it goes.
func finger(seed uint64, name string) []byte { return newDice(seed, "finger "+name).bytes(48) }

// during switches something on, and off again after a while.
func (w *World) during(d time.Duration, set func(on bool)) {
	set(true)
	w.jobs.Go(func() {
		select {
		case <-time.After(d):
		case <-w.hurry:
		}
		set(false)
	})
}

// patch lets the office change a user.
func (w *World) patch(a Act, what string, p roster.Patch) {
	w.office(what, func(ctx context.Context, r *roster.Roster) error {
		_, err := r.Put(ctx, actor, a.User, p)
		return err
	}, func(m *model, at span) error { return m.put(a.User, p, at, w.clock.now()) })
}

func addSite(name string) func(context.Context, *roster.Roster) error {
	return func(ctx context.Context, r *roster.Roster) error {
		_, err := r.AddSite(ctx, actor, name, roster.SiteSettings{})
		return err
	}
}

// values is one value of a patch.
func values(f protocol.Field, v protocol.Value) roster.Patch {
	return roster.Patch{Set: map[protocol.Field]protocol.Value{f: v}}
}

// atOffice is what people do at the office.
func (w *World) atOffice(a Act, s *site) bool {
	card := protocol.Card(uint64(max(a.Number, 1)))
	switch a.Do {
	case "put":
		p := values(protocol.FieldName, protocol.Text(a.Text))
		if a.Number%2 == 0 {
			p.Give = []protocol.Credential{card}
		}
		w.patch(a, a.String(), p)
	case "office name":
		w.patch(a, a.String(), values(protocol.FieldName, protocol.Text(a.Text)))
	case "parts":
		p := values(protocol.FieldFirstName, protocol.Text(a.Text))
		p.Set[protocol.FieldLastName] = protocol.Text("L")
		w.patch(a, a.String(), p)
	case "blank":
		w.patch(a, a.String(), roster.Patch{Blank: []protocol.Field{protocol.FieldName}})
	case "withdraw":
		w.patch(a, a.String(), roster.Patch{Withdraw: []protocol.Field{protocol.FieldName, protocol.FieldPIN, protocol.FieldValidity}})
	case "give":
		w.patch(a, a.String(), roster.Patch{Give: []protocol.Credential{card}})
	case "take back":
		w.patch(a, a.String(), roster.Patch{TakeBack: []protocol.CredentialKey{card.Key()}})
	case "join":
		w.patch(a, a.String(), roster.Patch{Join: []string{a.Other}})
	case "leave":
		w.patch(a, a.String(), roster.Patch{Leave: []string{a.Other}})
	case "state":
		state := protocol.StateInactive
		if a.Number%2 == 0 {
			state = protocol.StateActive
		}
		w.patch(a, a.String(), values(protocol.FieldState, protocol.Text(state)))
	case "dates":
		w.patch(a, a.String(), values(protocol.FieldValidity, dates(a.Number)))
	case "office pin":
		w.patch(a, a.String(), values(protocol.FieldPIN, protocol.Value{First: a.Text}))
	default:
		return w.atCounter(a, s, card)
	}
	return true
}

// dates is a validity: open at either end, long past, or in the midst.
func dates(n int) protocol.Value {
	return []protocol.Value{
		{First: "1999-01-01"}, {Second: "2030-01-01"}, {First: "1999-01-01", Second: "1999-06-01"}, {First: "2000-02-01", Second: "2001-01-01"},
	}[n%4]
}

// atCounter is what concerns whole users, and rules.
func (w *World) atCounter(a Act, s *site, card protocol.Credential) bool {
	now := w.clock.now
	switch a.Do {
	case "delete":
		w.office(a.String(), func(ctx context.Context, r *roster.Roster) error { return r.Delete(ctx, actor, a.User) },
			func(m *model, at span) error { return m.remove(a.User, at) })
	case "restore":
		w.office(a.String(), func(ctx context.Context, r *roster.Roster) error {
			_, err := r.Restore(ctx, actor, a.User)
			return err
		}, func(m *model, at span) error { return m.restore(a.User, at, now()) })
	case "merge":
		w.office(a.String(), func(ctx context.Context, r *roster.Roster) error {
			_, err := r.Merge(ctx, actor, a.User, a.Other)
			return err
		}, func(m *model, at span) error { return m.merge(a.User, a.Other, at, now()) })
	case "renumber":
		p := values(protocol.FieldUserID, protocol.Text(a.Other))
		p.OnlyExisting = true
		w.office(a.String(), func(ctx context.Context, r *roster.Roster) error {
			_, err := r.Put(ctx, actor, a.User, p)
			return err
		}, func(m *model, at span) error {
			if m.find(a.User) < 0 {
				return errNobody
			}
			return m.put(a.User, p, at, now())
		})
	case "resolve":
		w.resolve(a)
	case "revoke":
		w.office(a.String(), func(ctx context.Context, r *roster.Roster) error { return r.Revoke(ctx, actor, card.Key()) },
			func(m *model, _ span) error { return m.revoke(card, now()) })
	case "allow":
		w.office(a.String(), func(ctx context.Context, r *roster.Roster) error { return r.Allow(ctx, actor, card.Key()) },
			func(m *model, _ span) error { return m.allow(card, now()) })
	case "order":
		w.setOrder(a)
	case "mode":
		w.office(a.String()+" at "+s.name, func(ctx context.Context, r *roster.Roster) error {
			_, err := r.SetSite(ctx, actor, s.name, roster.SiteSettings{Mode: &a.Other})
			return err
		}, func(m *model, _ span) error { return m.scope(s.name, a.Other) })
	default:
		return false
	}
	return true
}

// resolve ends the first conflict that waits.
func (w *World) resolve(a Act) {
	var site, id string
	res := roster.Resolution{Renumber: a.Other}
	w.office(a.String(), func(ctx context.Context, r *roster.Roster) error {
		all, err := r.Conflicts(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return errNobody
		}
		c := all[a.Number%len(all)]
		site, id = c.Site, c.UserID
		if a.Number == 1 {
			res = roster.Resolution{MergeInto: c.UserID}
		}
		_, err = r.Resolve(ctx, actor, c.User.GUID, res)
		return err
	}, func(m *model, at span) error { return m.resolve(site, id, res, at, w.clock.now()) })
}

// setOrder puts other rules in force. They are in force from the first of its
// transactions on, even if a later one fails.
func (w *World) setOrder(a Act) {
	rules := protocol.DefaultRules()
	switch a.Number {
	case 1:
		rules.Order = []protocol.Source{protocol.SourceReaders, protocol.SourceOffice}
		rules.Settle = protocol.SettleLatest
	case 2:
		rules.Settle = protocol.SettleLatest
		rules.Withdraw = true
	case 3:
		rules.Overrides = map[protocol.Field][]protocol.Source{protocol.FieldPIN: {protocol.SourceReaders}}
		rules.SettleBy = map[protocol.Field]protocol.Settle{protocol.FieldName: protocol.SettleLatest}
	}
	w.office(a.String(), func(ctx context.Context, r *roster.Roster) error {
		before := r.Revision()
		err := r.SetOrder(ctx, actor, rules)
		if err == nil {
			err = r.CatchUp(ctx)
		}
		if failing(err) && r.Revision() != before {
			return nil
		}
		return err
	}, func(m *model, _ span) error { return m.reorder(rules) })
}

var actor = roster.Actor{Name: "Ada"}
