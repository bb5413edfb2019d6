package roster

import (
	"fmt"
	"slices"
	"strconv"

	"doorsync/protocol"
)

// saying is what a source says about a user, of all rows that name them.
type saying struct {
	values      map[protocol.Field]protocol.Value
	credentials []protocol.Credential
	groups      []string
	id          string // the user ID it says by now; "" for none
}

// said joins rows: the first in the order of the file that has a value holds it,
// and all of them give credentials and groups.
func (im *importing) said(words []Word) (*saying, error) {
	for i := range words {
		if err := im.checkWord(&words[i]); err != nil {
			return nil, invalid("line %d: %w", words[i].Line, err)
		}
	}
	s := &saying{values: words[0].Values, credentials: words[0].Credentials, groups: words[0].Groups}
	if len(words) > 1 {
		s.values = map[protocol.Field]protocol.Value{}
		s.credentials, s.groups = slices.Clone(s.credentials), slices.Clone(s.groups)
	}
	for i := range words[1:] {
		s.credentials = append(s.credentials, words[i+1].Credentials...)
		s.groups = append(s.groups, words[i+1].Groups...)
	}
	if len(words) > 1 {
		for _, w := range words {
			for f, v := range w.Values {
				if old := s.values[f]; old.IsNull() {
					s.values[f] = v.Trimmed()
				}
			}
		}
	}
	s.id = s.values[protocol.FieldUserID].Trimmed().First
	return s, nil
}

// checkWord refuses what would poison the roster. Importers find it first, with
// the column.
func (im *importing) checkWord(w *Word) error {
	for f, v := range w.Values {
		if !slices.Contains(im.fields, f) { // a custom value, or none
			if err := checkField(im.w.r.state.fields, f, v); err != nil {
				return err
			}
			continue
		}
		if v = v.Trimmed(); v.IsNull() {
			continue
		}
		if why := checkValue(f, v); why != "" {
			return fmt.Errorf("%s: %s", f, why)
		}
	}
	for _, c := range w.Credentials {
		if err := c.Valid(); err != nil {
			return err
		}
	}
	for _, g := range w.Groups {
		if checkID(g) != nil {
			return fmt.Errorf("group %q: must have 1 to 64 characters", clip(g))
		}
	}
	if id := w.Values[protocol.FieldUserID].Trimmed(); !id.IsNull() {
		return checkID(id.First)
	}
	return nil
}

// identify settles under which user ID the source knows a user. What it said
// before stays, if it says none any more or one that somebody else has: a user
// must have a user ID. Refused tells that it is somebody else's.
func (im *importing) identify(u *user, s *saying, fresh bool, line int) (id string, refused bool, err error) {
	before := contributionOf(u.contributions, im.source.Name).Values[protocol.FieldUserID].Latest.Value.First
	if s.id != "" && (s.id != before || !u.finds(s.id)) {
		holder, err := im.take(u, s.id)
		if err != nil || holder == "" {
			return s.id, false, err
		}
		im.tell(Effect{
			Kind: EffectRefused, Line: line, UserID: u.record.UserID(), GUID: u.row.GUID, Name: nameOf(u.record), Holder: holder,
			Text: fmt.Sprintf("user ID %s belongs to user %s; renumber one of them, or merge them if they are one person", s.id, holder),
		})
		refused = true
	} else if s.id != "" {
		return s.id, false, nil
	}
	if before != "" || !fresh {
		return before, refused, nil
	}
	id, err = im.makeUp(u)
	return id, refused, err
}

func (u *user) finds(id string) bool {
	return slices.ContainsFunc(u.ids, func(row IDRow) bool { return row.ID == id })
}

// take gives the user an ID, unless it is somebody else's: then it returns by
// which ID people know that one.
func (im *importing) take(u *user, id string) (holder string, err error) {
	w := im.w
	row, ok, err := w.id(id)
	if err != nil {
		return "", err
	}
	if ok {
		other, err := w.follow(row.GUID)
		switch {
		case err != nil:
			return "", err
		case other.row.GUID == u.row.GUID:
			return "", nil
		case !other.removed():
			return other.record.UserID(), nil
		}
	}
	if u.row.Site != "" {
		return u.record.UserID(), nil // in conflict: a person renumbers it
	}
	w.touch(u, "")
	w.claim(u)
	if !ok {
		w.enterID(u, IDRow{ID: id, Since: u.row.Revision})
		return "", nil
	}
	return "", w.giveID(u, IDRow{ID: id, Since: u.row.Revision})
}

// makeUp gives a new user the next number that is free.
func (im *importing) makeUp(u *user) (string, error) {
	src := &im.source
	from := src.IDsFrom
	if from == 0 {
		from = DefaultIDsFrom
	}
	for n := max(from, src.NextID); ; n++ {
		id := strconv.FormatUint(n, 10)
		_, taken, err := im.w.id(id)
		if err != nil {
			return "", err
		}
		if taken || im.w.inConflict(id) {
			continue
		}
		src.NextID = n + 1
		im.w.enterID(u, IDRow{ID: id, Since: u.row.Revision})
		return id, nil
	}
}

// inConflict tells that somebody has the ID at one site alone.
func (w *work) inConflict(id string) bool {
	for k := range w.r.state.siteIDs {
		if k.id == id {
			return true
		}
	}
	return false
}
