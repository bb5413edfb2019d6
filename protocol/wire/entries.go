package wire

import (
	"math"

	"doorsync/protocol"
)

func entrySize(e *protocol.Entry) int {
	n := 192 + len(e.Detail)
	if e.Edit != nil {
		n += 64 + 64*(len(e.Edit.Values)+len(e.Edit.Groups)+len(e.Edit.Refused)+len(e.Edit.Withdrawn))
		for i := range e.Edit.Given {
			n += 96 + len(e.Edit.Given[i].Template)
		}
	}
	return n
}

// appendEntry encodes an entry as the general encoder does.
func appendEntry(b []byte, e protocol.Entry) []byte {
	b = appendHead(b, majorMap, 6+count(e.Detail != "", e.Reader != "", e.UserID != "", e.ReaderID != "", e.Edit != nil))
	if e.Detail != "" {
		b = appendText(append(b, 0x61, 'd'), e.Detail)
	}
	b = appendText(append(b, 0x61, 'e'), e.Event)
	b = appendUint(append(b, 0x61, 'n'), e.Number)
	b = appendBytes(append(b, 0x61, 'p'), e.Prev)
	if e.Reader != "" {
		b = appendText(append(b, 0x61, 'r'), e.Reader)
	}
	b = appendStamp(append(b, 0x61, 't'), e.Stamp)
	if e.UserID != "" {
		b = appendText(append(b, 0x61, 'u'), e.UserID)
	}
	b = appendBytes(append(b, 0x62, 'i', 'd'), e.ID[:])
	b = appendUint(appendText(b, "rev"), e.Revision)
	if e.ReaderID != "" {
		b = appendText(appendText(b, "rid"), e.ReaderID)
	}
	if e.Edit != nil {
		b = appendEdit(appendText(b, "edit"), e.Edit)
	}
	return b
}

func (r *items) entry() (e protocol.Entry) {
	f := r.fields()
	if f.has("d") {
		e.Detail = r.text()
	}
	if f.has("e") {
		e.Event = protocol.Event(r.name())
	}
	if f.has("n") {
		e.Number = r.uint(math.MaxUint64)
	}
	if f.has("p") {
		e.Prev = r.bytes()
	}
	if f.has("r") {
		e.Reader = r.text()
	}
	if f.has("t") {
		e.Stamp = r.stamp()
	}
	if f.has("u") {
		e.UserID = r.text()
	}
	if f.has("id") {
		e.ID = r.entryID()
	}
	if f.has("rev") {
		e.Revision = r.uint(math.MaxUint64)
	}
	if f.has("rid") {
		e.ReaderID = r.text()
	}
	if f.has("edit") {
		e.Edit = r.edit()
	}
	f.end()
	return e
}

func (r *items) entryID() (id protocol.EntryID) {
	p := r.raw(majorBytes)
	if len(p) != len(id) {
		r.odd = true
		return id
	}
	return protocol.EntryID(p)
}

func appendEdit(b []byte, e *protocol.Edit) []byte {
	b = appendHead(b, majorMap, 1+count(e.New, len(e.Given) > 0, len(e.Groups) > 0, len(e.Values) > 0, len(e.Refused) > 0, len(e.Withdrawn) > 0))
	b = appendSet(b, "new", e.New)
	b = appendText(appendText(b, "user"), e.UserID)
	if len(e.Given) > 0 {
		b = appendHead(appendText(b, "given"), majorArray, uint64(len(e.Given)))
		for _, c := range e.Given {
			b = appendCredential(b, c)
		}
	}
	if len(e.Groups) > 0 {
		b = appendTexts(appendText(b, "groups"), e.Groups)
	}
	if len(e.Values) > 0 {
		b = appendHead(appendText(b, "values"), majorMap, uint64(len(e.Values)))
		for _, f := range sortedKeys(e.Values) {
			b = appendValue(appendText(b, f), e.Values[f])
		}
	}
	if len(e.Refused) > 0 {
		b = appendTexts(appendText(b, "refused"), e.Refused)
	}
	if len(e.Withdrawn) > 0 {
		b = appendTexts(appendText(b, "withdrawn"), e.Withdrawn)
	}
	return b
}

func (r *items) edit() *protocol.Edit {
	if r.isNull() {
		return nil
	}
	var e protocol.Edit
	f := r.fields()
	if f.has("new") {
		e.New = r.bool()
	}
	if f.has("user") {
		e.UserID = r.text()
	}
	if f.has("given") {
		e.Given = list(r, r.credential)
	}
	if f.has("groups") {
		e.Groups = nameList[string](r)
	}
	if f.has("values") {
		e.Values = valueMap(r, r.value)
	}
	if f.has("refused") {
		e.Refused = nameList[protocol.CredentialKey](r)
	}
	if f.has("withdrawn") {
		e.Withdrawn = nameList[protocol.CredentialKey](r)
	}
	f.end()
	return &e
}

// names are texts that travel often: known ones are not allocated each time.
var names = func() map[string]string {
	m := map[string]string{}
	add := func(s string) { m[s] = s }
	for _, f := range protocol.Fields() {
		add(string(f))
	}
	for _, e := range protocol.Events() {
		add(string(e))
	}
	for _, k := range protocol.Kinds() {
		add(string(k))
	}
	for _, g := range []protocol.Giving{protocol.Given, protocol.Withdrawn, protocol.Refused, protocol.Revoked} {
		add(string(g))
	}
	for _, s := range []protocol.Source{protocol.SourceOffice, protocol.SourceReaders} {
		add(string(s))
	}
	add(protocol.FormatNumber)
	return m
}()
