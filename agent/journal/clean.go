package journal

import (
	"slices"
	"strings"
	"unicode/utf8"

	"doorsync/protocol"
)

// clean replaces bytes that are no text. An entry with such bytes could be
// written but never be read again, here or at the center.
func (d Draft) clean() Draft {
	d.UserID, d.Detail = text(d.UserID), text(d.Detail)
	if d.Edit == nil || isText(d.Edit) {
		return d
	}
	e := *d.Edit
	e.UserID = text(e.UserID)
	e.Values = make(map[protocol.Field]protocol.Value, len(d.Edit.Values))
	for f, v := range d.Edit.Values {
		e.Values[protocol.Field(text(string(f)))] = protocol.Value{First: text(v.First), Second: text(v.Second)}
	}
	e.Given = slices.Clone(e.Given)
	for i := range e.Given {
		c := &e.Given[i]
		c.Kind, c.Format, c.Number, c.Hash = protocol.Kind(text(string(c.Kind))), text(c.Format), text(c.Number), text(c.Hash)
	}
	e.Withdrawn = slices.Clone(e.Withdrawn)
	for i, k := range e.Withdrawn {
		e.Withdrawn[i] = protocol.CredentialKey(text(string(k)))
	}
	d.Edit = &e
	return d
}

// isText reports whether there is nothing to clean.
func isText(e *protocol.Edit) bool {
	for f, v := range e.Values {
		if !utf8.ValidString(string(f)) || !utf8.ValidString(v.First) || !utf8.ValidString(v.Second) {
			return false
		}
	}
	return utf8.ValidString(e.UserID) &&
		!slices.ContainsFunc(e.Given, func(c protocol.Credential) bool {
			return !utf8.ValidString(string(c.Kind) + c.Format + c.Number + c.Hash)
		}) &&
		!slices.ContainsFunc(e.Withdrawn, func(k protocol.CredentialKey) bool { return !utf8.ValidString(string(k)) })
}

func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
