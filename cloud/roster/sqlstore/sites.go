package sqlstore

import "doorsync/cloud/roster"

// Sites is roster.SiteReader's.
func (v view) Sites() ([]roster.SiteRow, error) {
	var b []byte
	var out []roster.SiteRow
	var bad error
	err := v.c.each([]any{&b}, func() bool {
		var r roster.SiteRow
		bad = v.decode(b, &r, "a site")
		out = append(out, r)
		return bad == nil
	}, "SELECT row FROM sites ORDER BY name")
	if err == nil {
		err = bad
	}
	return out, err
}

func (v view) decode(b []byte, into any, what string) error {
	if err := v.codec.Unmarshal(b, into); err != nil {
		return damaged(v.c.path, "the row of "+what+" cannot be read: "+err.Error())
	}
	return nil
}

// Epochs is roster.SiteReader's.
func (v view) Epochs() ([]roster.EpochRow, error) {
	var r roster.EpochRow
	var out []roster.EpochRow
	err := v.c.each([]any{&r.Site, &r.Epoch, &r.Taken, &r.Hash}, func() bool {
		one := r
		one.Hash = clone(r.Hash)
		out = append(out, one)
		return true
	}, "SELECT site, epoch, taken, hash FROM epochs ORDER BY site, epoch")
	return out, err
}

// Meta is roster.MetaReader's.
func (v view) Meta() (m roster.Meta, ok bool, err error) {
	var b []byte
	if ok, err = v.c.row([]any{&b}, "SELECT row FROM meta"); err != nil || !ok {
		return m, false, err
	}
	return m, true, v.decode(b, &m, "the settings")
}

// PutSite is roster.SiteWriter's.
func (t tx) PutSite(r roster.SiteRow) error {
	b, err := t.codec.Marshal(r)
	if err != nil {
		return err
	}
	_, err = t.c.run("INSERT OR REPLACE INTO sites (name, row) VALUES (?,?)", r.Name, b)
	return err
}

// PutEpoch is roster.SiteWriter's.
func (t tx) PutEpoch(r roster.EpochRow) error {
	_, err := t.c.run("INSERT INTO epochs (site, epoch, taken, hash) VALUES (?,?,?,?) "+
		"ON CONFLICT (site, epoch) DO UPDATE SET taken = excluded.taken, hash = excluded.hash",
		r.Site, r.Epoch, int64(r.Taken), r.Hash)
	return err
}

// PutMeta is roster.MetaWriter's.
func (t tx) PutMeta(m roster.Meta) error {
	b, err := t.codec.Marshal(m)
	if err != nil {
		return err
	}
	_, err = t.c.run("INSERT OR REPLACE INTO meta (one, row) VALUES (1, ?)", b)
	return err
}
