package journal

import (
	"bytes"
	"cmp"
	"slices"

	"doorsync/protocol"
	"doorsync/protocol/wire"
)

// person is whoever a user ID stands for at this site: the center's record, if
// it has a live one, and the pending edits that belong to them. Without a record
// the edits start with an enrollment.
type person struct {
	id     string // asked for
	change wire.Change
	record protocol.Record // if whole
	known  bool            // record is the center's and lives
	gone   bool            // record is a tombstone, and nobody was enrolled since
	edits  []pendingEdit
}

func (p *person) exists() bool { return p.known || len(p.edits) > 0 }

func (p *person) is(o *person) bool {
	if p.known != o.known {
		return false
	}
	if p.known {
		return p.change.GUID == o.change.GUID
	}
	return p.id == o.id
}

// userID is the ID that readers are given.
func (p *person) userID() string {
	if p.known && len(p.change.IDs) > 0 {
		return p.change.IDs[0]
	}
	return p.id
}

// newcomer returns the edits under one ID that are about somebody enrolled at
// this site whom the records held do not contain yet: all from the last
// enrollment on. When it happened nobody was known under the ID, so whatever
// record has come under it since is about somebody else, or about the same
// person and will settle the edits in a moment. They must not be blended; the
// center will keep them apart too. What was edited before is about somebody who
// is no more.
func newcomer(edits []pendingEdit) []pendingEdit {
	for i, e := range slices.Backward(edits) {
		if e.new {
			return edits[i:]
		}
	}
	return nil
}

// person returns whoever an ID stands for.
func (r *reading) person(id string, d depth) (person, error) {
	s, ok, err := r.find(id)
	if err != nil {
		return person{}, err
	}
	edits, err := r.pending(id, d)
	if err != nil {
		return person{}, err
	}
	own := newcomer(edits)
	tooLate := ok && s.tomb && len(own) > 0 && own[0].number <= s.since // the deletion stands
	if len(own) > 0 && !tooLate {
		return person{id: id, edits: own}, nil
	}
	p := person{id: id, change: s.change, known: ok && !s.tomb, gone: ok && s.tomb}
	if ok && d == whole {
		if p.record, err = r.decodeRecord(s.change); err != nil {
			return person{}, err
		}
	}
	if p.known {
		p.edits = edits
		err = r.addEdits(&p, d)
	}
	return p, err
}

// resident returns the person with a live record.
func (r *reading) resident(s *stored, rec protocol.Record) (person, error) {
	p := person{change: s.change, record: rec, known: true}
	err := r.addEdits(&p, whole)
	p.id = p.userID()
	return p, err
}

// addEdits adds what is pending under all the IDs of somebody with a live
// record, except that asked for, which is there already. An ID that finds
// somebody else by now, or somebody new, is theirs.
func (r *reading) addEdits(p *person, d depth) error {
	for _, alias := range p.change.IDs {
		if alias == p.id {
			continue
		}
		edits, err := r.pending(alias, d)
		if err != nil {
			return err
		}
		if len(edits) == 0 || len(newcomer(edits)) > 0 {
			continue
		}
		s, _, err := r.find(alias)
		if err != nil {
			return err
		}
		if s.change.GUID == p.change.GUID {
			p.edits = append(p.edits, edits...)
			slices.SortFunc(p.edits, func(a, b pendingEdit) int { return cmp.Compare(a.number, b.number) })
		}
	}
	return nil
}

// effective is the record as it holds at this site.
func (r *reading) effective(p *person) protocol.Record {
	var base protocol.Record
	if p.known || p.gone {
		base = p.record
	}
	if len(p.edits) == 0 {
		return base
	}
	said := make([]protocol.Contribution, len(p.edits))
	for i, e := range p.edits {
		said[i] = e.edit.Contribution(e.stamp, r.m.settings.Rules)
	}
	return protocol.Overlay(base, said, r.m.settings.Rules)
}

func (r *reading) view(p *person) View {
	rec := r.effective(p)
	v := View{GUID: rec.GUID, Record: rec, Removed: p.gone, Pending: len(p.edits) > 0, IDs: []string{p.id}}
	if (p.known || p.gone) && len(p.change.IDs) > 0 {
		v.IDs = p.change.IDs
	}
	v.User = rec.User(r.m.settings.Rules)
	if v.User.ID == "" || p.known {
		v.User.ID = v.IDs[0]
	}
	// A revocation overtakes the records in which it will show.
	v.User.Credentials = slices.DeleteFunc(v.User.Credentials, func(c protocol.Credential) bool { return r.m.isRevoked(c.Key()) })
	return v
}

// User returns the user in effect under a user ID or alias. A user deleted at
// the center may still be known, with Removed set.
func (j *Journal) User(id string) (v View, ok bool, err error) {
	err = j.read(func(r *reading) error {
		p, err := r.person(id, whole)
		if ok = err == nil && (p.exists() || p.gone); ok {
			v = r.view(&p)
		}
		return err
	})
	return v, ok, err
}

// Owner returns who holds a credential in effect here, by the ID that readers
// are given.
func (j *Journal) Owner(k protocol.CredentialKey) (userID string, ok bool, err error) {
	err = j.read(func(r *reading) error {
		p, found, err := r.holder(k, nil)
		if found {
			userID, ok = p.userID(), true
		}
		return err
	})
	return userID, ok, err
}

// holder returns somebody other than one person who holds a credential.
func (r *reading) holder(k protocol.CredentialKey, other *person) (person, bool, error) {
	hash := wire.KeyHash(k)
	guids, err := r.lookup(hash)
	if err != nil {
		return person{}, false, err
	}
	for _, guid := range guids {
		p, ok, err := r.indexed(guid, hash)
		if err != nil {
			return person{}, false, err
		}
		if ok && (other == nil || !p.is(other)) && r.holds(&p, k) {
			return p, true, nil
		}
	}
	return r.claimant(k, hash, other)
}

// indexed returns the live user with a GUID if a credential of that hash is theirs.
func (r *reading) indexed(guid string, hash uint64) (person, bool, error) {
	s, ok, err := r.held(guid)
	if err != nil || !ok || !slices.Contains(s.change.Keys, hash) || len(s.change.IDs) == 0 {
		return person{}, false, err
	}
	rec, err := r.decodeRecord(s.change)
	if err != nil || rec.Removed {
		return person{}, false, err
	}
	p, err := r.resident(&s, rec)
	return p, err == nil, err
}

// claimant looks among those who were given the credential at this site since.
func (r *reading) claimant(k protocol.CredentialKey, hash uint64, other *person) (person, bool, error) {
	prefix := localKey(localClaim, hash)
	c := r.bucket(inLocal).Cursor()
	for key, id := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, id = c.Next() {
		p, err := r.person(string(id), whole)
		if err != nil {
			return person{}, false, err
		}
		if p.exists() && (other == nil || !p.is(other)) && r.holds(&p, k) {
			return p, true, nil
		}
	}
	return person{}, false, nil
}

func (r *reading) holds(p *person, k protocol.CredentialKey) bool {
	h, ok := r.effective(p).Credential(k)
	return ok && h.Active()
}
