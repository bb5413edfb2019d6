package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

// contested examines who is found by what was said beside the record.
func contested(t *testing.T, s roster.Store) {
	rows := []*roster.UserRow{sample(1), sample(2), sample(3), sample(4)}
	rows[1].Contributions, rows[3].Contributions = nil, nil
	update(t, s, func(tx roster.Tx) { must(t, tx.PutUsers(rows)) })
	from := func(guid string, most int) (out []roster.UserRow) {
		view(t, s, func(v roster.View) {
			must(t, v.Contested(guid, func(u *roster.UserRow) bool { out = append(out, *u); return len(out) < most }))
			n, err := v.CountUsers()
			must(t, err)
			equal(t, "users", 4, n)
		})
		return out
	}
	got := from("", 9)
	if len(got) != 4 {
		t.Fatalf("%d users", len(got))
	}
	for i, u := range got {
		want := rows[i]
		if u.GUID != want.GUID || u.Removed != want.Removed || u.MergedInto != want.MergedInto || u.Revision != want.Revision {
			t.Errorf("row %d: %+v", i, u)
		}
		if slices.Equal(u.Contributions, want.Contributions) && (len(want.Contributions) == 0 || slices.Equal(u.Record, want.Record)) {
			continue
		}
		t.Errorf("row %d: said %q beside %q", i, u.Contributions, u.Record)
	}
	if len(got[1].Record) != 0 {
		t.Error("a record was read that nobody needs")
	}
	if got := from(rows[1].GUID, 1); len(got) != 1 || got[0].GUID != rows[2].GUID {
		t.Errorf("after the second, one: %+v", got)
	}
	if got := from(rows[3].GUID, 9); len(got) != 0 {
		t.Errorf("after the last: %+v", got)
	}
}

// fields examines the definitions of custom values.
func fields(t *testing.T, s roster.Store) {
	plate := protocol.Custom{Field: "custom:plate", Type: protocol.CustomText, Title: "Plate"}
	shirt := protocol.Custom{Field: "custom:shirt", Type: protocol.CustomChoice, Choices: []string{"S", "M"}}
	update(t, s, func(tx roster.Tx) {
		must(t, tx.PutFieldRow(shirt))
		must(t, tx.PutFieldRow(protocol.Custom{Field: plate.Field, Type: protocol.CustomNumber}))
		must(t, tx.PutFieldRow(plate))
	})
	want := func(defined ...protocol.Custom) {
		view(t, s, func(v roster.View) {
			got, err := v.FieldRows()
			must(t, err)
			if len(got)+len(defined) > 0 && !reflect.DeepEqual(got, defined) {
				t.Fatalf("defined: %+v", got)
			}
		})
	}
	want(plate, shirt)
	undone := errors.New("undone")
	err := s.Update(context.Background(), func(tx roster.Tx) error {
		return errors.Join(tx.DropFieldRow(shirt.Field), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	want(plate, shirt)
	update(t, s, func(tx roster.Tx) {
		must(t, tx.DropFieldRow(plate.Field))
		must(t, tx.DropFieldRow("custom:nothing"))
	})
	want(shirt)
}
