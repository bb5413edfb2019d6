package sqlstore

import (
	"encoding/binary"

	"doorsync/cloud/roster"
)

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
	var b []byte
	var out []roster.EpochRow
	err := v.c.each([]any{&r.Site, &r.Epoch, &b}, func() bool {
		one := r
		if len(b) >= 8 {
			one.Taken = binary.BigEndian.Uint64(b)
		}
		if len(b) > 8 {
			one.Hash = b[8:]
		}
		out = append(out, one)
		return true
	}, "SELECT site, epoch, row FROM progress WHERE site <> '' ORDER BY site, epoch")
	return out, err
}

// Meta is roster.MetaReader's.
func (v view) Meta() (m roster.Meta, ok bool, err error) {
	var b []byte
	if ok, err = v.c.row([]any{&b}, "SELECT row FROM progress WHERE site = '' AND epoch = ''"); err != nil || !ok {
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

const putProgress = "INSERT OR REPLACE INTO progress (site, epoch, row) VALUES (?,?,?)"

// PutEpoch is roster.SiteWriter's.
func (t tx) PutEpoch(r roster.EpochRow) error {
	_, err := t.c.run(putProgress, r.Site, r.Epoch, append(binary.BigEndian.AppendUint64(nil, r.Taken), r.Hash...))
	return err
}

// PutMeta is roster.MetaWriter's.
func (t tx) PutMeta(m roster.Meta) error {
	b, err := t.codec.Marshal(m)
	if err != nil {
		return err
	}
	_, err = t.c.run(putProgress, "", "", b)
	return err
}
