package roster

import (
	"slices"

	"doorsync/protocol"
)

// nameAll notes whom the rows of a person name. Where something was refused the
// rows are taken in again by the next import.
func (im *importing) nameAll(p *Person, u *user, unsettled bool) {
	for i := range p.Words {
		im.name(&p.Words[i], u.row.GUID, unsettled)
	}
	im.nameLost(p, u.row.GUID, DigestAbsent)
}

// nameLost notes what has become of rows that are no longer there.
func (im *importing) nameLost(p *Person, guid string, digest uint64) {
	for _, id := range p.Lost {
		im.w.named = append(im.w.named, SourceUser{Identity: id, Digest: digest, GUID: guid})
	}
}

func (im *importing) name(w *Word, guid string, unsettled bool) {
	row := SourceUser{Identity: w.Identity, Digest: w.Digest, GUID: guid}
	if unsettled {
		row.Digest = 0
	}
	im.w.named = append(im.w.named, row)
}

// writeNamed writes them before the rest, for what is to be asked.
func (im *importing) writeNamed() error {
	w := im.w
	if err := w.written(); err != nil || len(w.named) == 0 {
		return err
	}
	err := w.putNamed(w.namedIn, w.named)
	w.named = w.named[:0]
	return err
}

// putNamed notes whom rows of a source name, and lets users be found by their
// sync IDs. A row of the index that is no longer true finds nobody, since every
// one is held against the users themselves.
func (w *work) putNamed(s protocol.Source, rows []SourceUser) error {
	if err := w.tx.PutNamed(s, rows); err != nil {
		return err
	}
	if w.keys == nil || !slices.Contains(w.keys.of[s], KeySyncID) {
		return nil
	}
	var c keyChanges
	for _, row := range rows {
		if row.GUID != "" {
			c.put = append(c.put, KeyRow{row.Identity.hash(), row.GUID})
		}
	}
	return c.write(w.tx)
}

// handOver lets the rows that name one user name another, and be taken in again:
// what several rows say about one user is joined anew.
func (w *work) handOver(from, to string) error {
	return w.eachNamed(from, func(row NamedUser) error {
		if row.GUID = to; !row.Absent() {
			row.Digest = 0
		}
		return w.putNamed(row.Source, []SourceUser{row.SourceUser})
	})
}

// dropAbsent forgets rows that named a deleted user and that sources no longer
// have: who comes back after a deletion is somebody new.
func (w *work) dropAbsent(guid string) error {
	return w.eachNamed(guid, func(row NamedUser) error {
		if !row.Absent() {
			return nil
		}
		return w.tx.DropNamed(row.Source, []Identity{row.Identity})
	})
}

// takeAgain has the rows that name a user taken in by the next imports.
func (w *work) takeAgain(guid string) error {
	return w.eachNamed(guid, func(row NamedUser) error {
		if row.Absent() {
			return nil
		}
		row.Digest = 0
		return w.putNamed(row.Source, []SourceUser{row.SourceUser})
	})
}

func (w *work) eachNamed(guid string, fn func(NamedUser) error) error {
	if len(w.r.state.sources) == 0 && len(w.sources) == 0 {
		return nil
	}
	rows, err := w.tx.NamedBy(guid)
	for i := 0; i < len(rows) && err == nil; i++ {
		err = fn(rows[i])
	}
	return err
}
