package wire

import (
	"encoding/hex"
	"fmt"

	"doorsync/protocol"
)

// Shown is a message as people may see it: what it says, without anything that
// opens a door. It is made for printing as a line of JSON.
type Shown struct {
	At    int64  `json:"at"` // milliseconds
	Site  string `json:"site"`
	Dir   string `json:"dir"` // up, from the site, or down, to it
	Kind  Kind   `json:"kind"`
	Bytes int    `json:"bytes"`
	Says  any    `json:"says,omitempty"`
	Error string `json:"error,omitempty"` // why it cannot be read
}

// The directions of a message.
const (
	Up   = "up"
	Down = "down"
)

// Show reads a message for people.
func (c *Codec) Show(at int64, site, dir string, k Kind, payload []byte) Shown {
	out := Shown{At: at, Site: site, Dir: dir, Kind: k, Bytes: len(payload)}
	says, err := c.says(k, payload)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Says = says
	return out
}

func (c *Codec) says(k Kind, b []byte) (any, error) {
	switch k {
	case KindHello:
		return read(c, b, showHello)
	case KindJournal:
		return read(c, b, showJournal)
	case KindPull:
		return read(c, b, func(m Pull) any {
			return map[string]any{"after": m.After, "cursor": hex.EncodeToString(m.Cursor), "window": m.Window, "again": m.Again}
		})
	case KindReaders:
		return read(c, b, func(m Readers) any { return m.Readers })
	case KindDigest:
		return read(c, b, func(m Digest) any {
			return map[string]any{"revision": m.Revision, "buckets": len(m.Buckets), "of": m.Of, "users": len(m.Users)}
		})
	case KindPresence:
		return read(c, b, func(m Presence) any { return map[string]any{"online": m.Online} })
	case KindDone:
		return read(c, b, func(m Done) any { return map[string]any{"order": m.ID, "error": m.Error} })
	case KindConfirm:
		return read(c, b, showConfirm)
	case KindChanges:
		return read(c, b, showChanges)
	case KindOrder:
		return read(c, b, func(m Order) any {
			return map[string]any{"order": m.ID, "do": m.Do, "reader": m.Reader, "number": m.Number, "buckets": len(m.Buckets), "by": m.By}
		})
	}
	return nil, fmt.Errorf("show: kind %q is not known to this version", clip(string(k)))
}

func read[M any](c *Codec, b []byte, show func(M) any) (any, error) {
	var m M
	if err := c.Decode(b, &m); err != nil {
		return nil, err
	}
	return show(m), nil
}

func showHello(m Hello) any {
	return map[string]any{
		"session": m.Session, "epoch": m.Epoch, "first": m.First, "last": m.Last, "taken": m.Taken,
		"revision": m.Revision, "roster": m.Roster, "digest": hex.EncodeToString(m.Digest),
		"groups": m.Groups, "mode": m.Mode, "version": m.Version, "now": m.Now,
	}
}

func showConfirm(m Confirm) any {
	return map[string]any{
		"epoch": m.Epoch, "taken": m.Taken, "revision": m.Revision, "roster": m.Roster,
		"new_epoch": m.NewEpoch, "gap": m.Gap, "verdicts": m.Verdicts, "now": m.Now,
	}
}

func showJournal(m Journal) any {
	entries := make([]any, len(m.Entries))
	for i, e := range m.Entries {
		line := map[string]any{"number": e.Number, "event": e.Event, "revision": e.Revision}
		for name, v := range map[string]string{"reader": e.Reader, "user": e.UserID, "detail": e.Detail} {
			if v != "" {
				line[name] = v
			}
		}
		if e.Edit != nil {
			line["edit"] = showEdit(*e.Edit)
		}
		entries[i] = line
	}
	return map[string]any{"epoch": m.Epoch, "entries": entries}
}

func showEdit(e protocol.Edit) any {
	values := make(map[protocol.Field]string, len(e.Values))
	for f, v := range e.Values {
		values[f] = f.Show(v)
	}
	given := make([]string, len(e.Given))
	for i, cr := range e.Given {
		given[i] = cr.String()
	}
	return map[string]any{"new": e.New, "values": values, "given": given, "withdrawn": len(e.Withdrawn), "groups": e.Groups}
}

// showChanges tells who changed, not what: records are whole users.
func showChanges(m Changes) any {
	users := make([]any, len(m.Users))
	for i, u := range m.Users {
		users[i] = map[string]any{"guid": u.GUID, "ids": u.IDs, "gone": u.Gone, "bytes": len(u.Record)}
	}
	out := map[string]any{
		"from": m.From, "to": m.To, "journal": m.Journal, "users": users, "more": m.More, "mend": m.Mend,
	}
	if m.Page != nil {
		out["page"] = map[string]any{"after": m.Page.After, "up_to": m.Page.UpTo}
	}
	if m.Settings != nil {
		out["settings"] = map[string]any{"mode": m.Settings.Mode, "revoked": len(m.Settings.Revoked)}
	}
	return out
}
