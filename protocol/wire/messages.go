package wire

import (
	"math"

	"github.com/fxamacker/cbor/v2"
)

// The messages that carry edits and users, written and read as records.go does
// with what is in them.

func appendJournal(b []byte, j *Journal) []byte {
	b = appendText(appendText(append(b, majorMap|3), "epoch"), j.Epoch)
	b = appendText(b, "entries")
	if j.Entries == nil {
		b = append(b, itemNull)
	} else {
		b = appendHead(b, majorArray, uint64(len(j.Entries)))
	}
	for _, e := range j.Entries {
		b = appendEntry(b, e)
	}
	return appendText(appendText(b, "session"), j.Session)
}

func (r *items) journal() (j Journal) {
	f := r.fields()
	if f.has("epoch") {
		j.Epoch = r.name()
	}
	if f.has("entries") {
		j.Entries = list(r, r.entry)
	}
	if f.has("session") {
		j.Session = r.name()
	}
	f.end()
	return j
}

// appendStoredJournal encodes a Journal whose entries are encoded already.
func appendStoredJournal(b []byte, j *StoredJournal) []byte {
	b = appendText(appendText(append(b, majorMap|3), "epoch"), j.Epoch)
	b = appendHead(appendText(b, "entries"), majorArray, uint64(len(j.Entries)))
	for _, e := range j.Entries {
		b = append(b, e...)
	}
	return appendText(appendText(b, "session"), j.Session)
}

func appendChange(b []byte, c *Change) []byte {
	b = appendHead(b, majorMap, 1+count(len(c.IDs) > 0, len(c.Keys) > 0, len(c.Record) > 0, c.Gone))
	b = appendText(append(b, 0x61, 'g'), c.GUID)
	if len(c.IDs) > 0 {
		b = appendTexts(append(b, 0x61, 'i'), c.IDs)
	}
	if len(c.Keys) > 0 {
		b = appendHead(append(b, 0x61, 'k'), majorArray, uint64(len(c.Keys)))
		for _, k := range c.Keys {
			b = appendUint(b, k)
		}
	}
	if len(c.Record) > 0 {
		b = append(append(b, 0x61, 'r'), c.Record...)
	}
	return appendSet(b, "gone", c.Gone)
}

func (r *items) change() (c Change) {
	f := r.fields()
	if f.has("g") {
		c.GUID = r.text()
	}
	if f.has("i") {
		c.IDs = list(r, r.text)
	}
	if f.has("k") {
		c.Keys = list(r, func() uint64 { return r.uint(math.MaxUint64) })
	}
	if f.has("r") {
		c.Record = cbor.RawMessage(r.item())
	}
	if f.has("gone") {
		c.Gone = r.bool()
	}
	f.end()
	return c
}

// appendChanges encodes changes; settings are encoded by the general encoder.
func appendChanges(b []byte, c *Changes, settings []byte) []byte {
	b = appendHead(b, majorMap, 7+count(c.Mend, c.More, c.Page != nil, len(c.Users) > 0, settings != nil))
	b = appendUint(appendText(b, "to"), c.To)
	b = appendUint(appendText(b, "from"), c.From)
	b = appendSet(b, "mend", c.Mend)
	b = appendSet(b, "more", c.More)
	if c.Page != nil {
		b = appendPage(appendText(b, "page"), c.Page)
	}
	b = appendText(appendText(b, "epoch"), c.Epoch)
	b = appendStamp(appendText(b, "stamp"), c.Stamp)
	if len(c.Users) > 0 {
		b = appendHead(appendText(b, "users"), majorArray, uint64(len(c.Users)))
		for i := range c.Users {
			b = appendChange(b, &c.Users[i])
		}
	}
	b = appendText(appendText(b, "roster"), c.Roster)
	b = appendUint(appendText(b, "journal"), c.Journal)
	b = appendText(appendText(b, "session"), c.Session)
	if settings != nil {
		b = append(appendText(b, "settings"), settings...)
	}
	return b
}

// changes reads changes; settings are returned undecoded.
func (r *items) changes() (c Changes, settings []byte) {
	f := r.fields()
	if f.has("to") {
		c.To = r.uint(math.MaxUint64)
	}
	if f.has("from") {
		c.From = r.uint(math.MaxUint64)
	}
	if f.has("mend") {
		c.Mend = r.bool()
	}
	if f.has("more") {
		c.More = r.bool()
	}
	if f.has("page") {
		c.Page = r.page()
	}
	if f.has("epoch") {
		c.Epoch = r.name()
	}
	if f.has("stamp") {
		c.Stamp = r.stamp()
	}
	if f.has("users") {
		c.Users = list(r, r.change)
	}
	if f.has("roster") {
		c.Roster = r.name()
	}
	if f.has("journal") {
		c.Journal = r.uint(math.MaxUint64)
	}
	if f.has("session") {
		c.Session = r.name()
	}
	if f.has("settings") {
		settings = r.item()
	}
	f.end()
	return c, settings
}

func appendPage(b []byte, p *Page) []byte {
	b = appendHead(b, majorMap, 2+count(len(p.Cursor) > 0))
	b = appendText(appendText(b, "after"), p.After)
	b = appendText(appendText(b, "up_to"), p.UpTo)
	if len(p.Cursor) > 0 {
		b = appendBytes(appendText(b, "cursor"), p.Cursor)
	}
	return b
}

func (r *items) page() *Page {
	if r.isNull() {
		return nil
	}
	var p Page
	f := r.fields()
	if f.has("after") {
		p.After = r.text()
	}
	if f.has("up_to") {
		p.UpTo = r.text()
	}
	if f.has("cursor") {
		p.Cursor = r.bytes()
	}
	f.end()
	return &p
}

// appendEnvelope encodes the envelope around a body.
func appendEnvelope(b []byte, packed bool, body []byte) []byte {
	b = append(b, majorMap|byte(2+count(packed)), 0x61, 'b')
	b = appendUint(append(appendBytes(b, body), 0x61, 'v'), Version)
	if packed {
		b = append(b, 0x61, 'z', itemTrue)
	}
	return b
}

// envelope reads an envelope; its body is a part of the message.
func (r *items) envelope() (e envelope) {
	f := r.fields()
	if f.has("b") {
		e.Body = r.raw(majorBytes)
	}
	if f.has("v") {
		e.Version = int(r.uint(math.MaxInt32))
	}
	if f.has("z") {
		e.Packed = r.bool()
	}
	f.end()
	return e
}
