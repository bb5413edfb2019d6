package wire

import (
	"fmt"

	"doorsync/protocol"
)

// MarshalValues encodes a record with the credentials and groups that a stored
// one has, which are most of it, without decoding them: rec is what
// UnmarshalValues made of stored, its values changed.
func (c *Codec) MarshalValues(rec protocol.Record, stored []byte) ([]byte, error) {
	if groups, credentials, ok := elements(stored); ok {
		return appendSpliced(make([]byte, 0, len(stored)+64+96*len(rec.Values)), rec, groups, credentials), nil
	}
	var whole protocol.Record
	if err := c.Unmarshal(stored, &whole); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	rec.Credentials, rec.Groups = whole.Credentials, whole.Groups
	return c.Marshal(rec)
}

// elements are the groups and credentials of an encoded record as they stand
// there; not ok if it is none that appendRecord writes.
func elements(b []byte) (groups, credentials []byte, ok bool) {
	r := items{b: b}
	f := r.fields()
	for _, name := range []string{"guid", "site"} {
		if f.has(name) {
			r.item()
		}
	}
	if f.has("groups") {
		groups = r.item()
	}
	for _, name := range []string{"values", "removed"} {
		if f.has(name) {
			r.item()
		}
	}
	if f.has("credentials") {
		credentials = r.item()
	}
	f.end()
	return groups, credentials, r.done()
}

// appendSpliced is appendRecord with elements that are encoded already.
func appendSpliced(b []byte, rec protocol.Record, groups, credentials []byte) []byte {
	b = appendHead(b, majorMap, count(rec.GUID != "", rec.Site != "", groups != nil, len(rec.Values) > 0, rec.Removed, credentials != nil))
	if rec.GUID != "" {
		b = appendText(appendText(b, "guid"), rec.GUID)
	}
	if rec.Site != "" {
		b = appendText(appendText(b, "site"), rec.Site)
	}
	if groups != nil {
		b = append(appendText(b, "groups"), groups...)
	}
	if len(rec.Values) > 0 {
		b = appendHead(appendText(b, "values"), majorMap, uint64(len(rec.Values)))
		for _, f := range sortedKeys(rec.Values) {
			b = appendHolding(appendText(b, f), rec.Values[f])
		}
	}
	b = appendSet(b, "removed", rec.Removed)
	if credentials != nil {
		b = append(appendText(b, "credentials"), credentials...)
	}
	return b
}
