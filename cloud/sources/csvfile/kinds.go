package csvfile

import (
	"fmt"
	"slices"
	"strings"

	"doorsync/protocol"
)

// cellKind says how a cell is read.
type cellKind uint8

const (
	cellText cellKind = iota
	cellEmail
	cellUserID
	cellState
	cellFlag
	cellActivates
	cellExpires
	cellPIN
	cellSyncID
	cellLanguage
	cellGroups
	cellCredential
)

func (k cellKind) date() bool  { return k == cellActivates || k == cellExpires }
func (k cellKind) words() bool { return k == cellState || k == cellFlag }

// options says which options a field has, for errors.
func (k cellKind) options() string {
	switch {
	case k.date():
		return "a date may have its format (dd.mm.yyyy), zone=… and, if it is an expiry, end-of-day"
	case k == cellState:
		return "a state may have active=WORD/WORD and inactive=WORD/WORD"
	case k == cellFlag:
		return "it may have yes=WORD/WORD and no=WORD/WORD"
	case k == cellCredential:
		return "a credential may have its format (number, wiegand26 …), its notation (decimal, hex, facility:number) and split=…"
	case k == cellGroups:
		return "groups may have split=…"
	}
	return "it has no options"
}

// credentialKinds are the kinds of credential that a number identifies.
func credentialKinds() []protocol.Kind {
	return []protocol.Kind{protocol.KindCard, protocol.KindMobile, protocol.KindSecureCard, protocol.KindAccessOnCard}
}

// fields are what a column may be, custom values apart, in the order in which
// people are shown them.
func fields() []string {
	out := []string{ColumnSyncID}
	for _, f := range protocol.Fields() {
		switch f {
		case protocol.FieldPicture:
		case protocol.FieldValidity:
			out = append(out, ColumnActivatesAt, ColumnExpiresAt)
		default:
			out = append(out, string(f))
		}
	}
	for _, k := range credentialKinds() {
		out = append(out, string(k))
	}
	return append(out, ColumnGroups, ColumnLanguage)
}

// kindOf says how the cells of a field are read.
func kindOf(field string) (cellKind, error) {
	switch f := protocol.Field(field); {
	case field == ColumnActivatesAt:
		return cellActivates, nil
	case field == ColumnExpiresAt:
		return cellExpires, nil
	case field == ColumnSyncID:
		return cellSyncID, nil
	case field == ColumnLanguage:
		return cellLanguage, nil
	case field == ColumnGroups:
		return cellGroups, nil
	case slices.Contains(credentialKinds(), protocol.Kind(field)):
		return cellCredential, nil
	case f == protocol.FieldEmail:
		return cellEmail, nil
	case f == protocol.FieldUserID:
		return cellUserID, nil
	case f == protocol.FieldState:
		return cellState, nil
	case f == protocol.FieldAntipassbackExempt || f == protocol.FieldExtendedGrant:
		return cellFlag, nil
	case f == protocol.FieldPIN:
		return cellPIN, nil
	case f == protocol.FieldValidity:
		return 0, fmt.Errorf("a validity is two columns: %s and %s", ColumnActivatesAt, ColumnExpiresAt)
	case f == protocol.FieldPicture:
		return 0, fmt.Errorf("pictures do not come from a CSV file")
	case f.Known():
		return cellText, nil
	}
	if near := nearest(field, fields()); near != "" {
		return 0, fmt.Errorf("there is no field %q; did you mean %s?", field, near)
	}
	return 0, fmt.Errorf("there is no field %q; fields are %s, and %sNAME for values of your own", field, strings.Join(fields(), ", "), protocol.CustomPrefix)
}

// fieldOf is the field of a user that a column's values become part of; "" for
// what is no value.
func fieldOf(column string) protocol.Field {
	switch kind, _ := kindOf(column); kind {
	case cellActivates, cellExpires:
		return protocol.FieldValidity
	case cellSyncID, cellLanguage, cellGroups, cellCredential:
		return ""
	}
	return protocol.Field(column)
}
