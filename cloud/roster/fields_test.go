package roster_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"doorsync/cloud/roster"
	"doorsync/protocol"
)

func TestCustomValues(t *testing.T) {
	plate := protocol.Custom{Field: "custom:plate", Type: protocol.CustomText, Title: "License plate"}
	floor := protocol.Custom{Field: "custom:floor", Type: protocol.CustomNumber}
	shirt := protocol.Custom{Field: "custom:shirt", Type: protocol.CustomChoice, Choices: []string{"S", "M", "L"}}
	defined := func(t *testing.T) *center {
		c := newCenter(t, "A")
		for _, f := range []protocol.Custom{plate, floor, shirt} {
			must(t, c.PutField(t.Context(), anna, f))
		}
		return c
	}
	set := func(c *center, f protocol.Field, v string) error {
		_, err := c.Put(t.Context(), anna, "5", roster.Patch{Set: map[protocol.Field]protocol.Value{f: protocol.Text(v)}})
		return err
	}
	t.Run("are kept", func(t *testing.T) {
		c := defined(t)
		want := []protocol.Custom{floor, plate, shirt}
		c.open()
		if got := c.Fields(); !reflect.DeepEqual(got, want) {
			t.Fatalf("fields: %+v", got)
		}
	})
	t.Run("are checked", func(t *testing.T) {
		c := defined(t)
		for _, test := range []struct {
			field protocol.Field
			value string
			wants string // in the error; "" is none
		}{
			{"custom:plate", "B-AX 1", ""},
			{"custom:floor", "-3.5", ""},
			{"custom:floor", "third", "is a number"},
			{"custom:floor", "1e3", "is a number"},
			{"custom:floor", "Inf", "is a number"},
			{"custom:shirt", "M", ""},
			{"custom:shirt", "m", `is spelled "M"`},
			{"custom:shirt", "XXL", "is one of: S, M, L"},
			{"custom:plte", "x", "write custom:plate if that is meant"},
			{"plate", "x", "no value"},
			{protocol.FieldState, "away", "active or inactive"},
			{protocol.FieldEmail, "", ""},
		} {
			err := c.CheckField(test.field, protocol.Text(test.value))
			if (err == nil) != (test.wants == "") || (err != nil && (!errors.Is(err, roster.ErrInvalid) || !strings.Contains(err.Error(), test.wants))) {
				t.Errorf("%s = %q: %v", test.field, test.value, err)
			}
			if test.value == "" || !test.field.Known() {
				continue
			}
			if err := set(c, test.field, test.value); (err == nil) != (test.wants == "") {
				t.Errorf("the office sets %s = %q: %v", test.field, test.value, err)
			}
		}
	})
	t.Run("none is defined", func(t *testing.T) {
		if err := set(newCenter(t), "custom:plate", "x"); err == nil || !strings.Contains(err.Error(), "define it first") {
			t.Fatal(err)
		}
	})
	t.Run("a reader may know others", func(t *testing.T) {
		c := defined(t)
		a := c.site("A")
		wantEvents(t, events(a.edit(protocol.Edit{UserID: "6", New: true, Values: map[protocol.Field]protocol.Value{"custom:locker": protocol.Text("9")}})))
		if v := c.user("6").User.Value("custom:locker"); v.First != "9" {
			t.Fatal("lost")
		}
	})
	t.Run("reach sites", func(t *testing.T) {
		c := defined(t)
		must(t, set(c, plate.Field, "B-AX 1"))
		a := c.site("A")
		a.pull()
		if v := a.users()["5"].Value(plate.Field); v.First != "B-AX 1" {
			t.Fatalf("at the site: %+v", a.users())
		}
	})
	t.Run("are dropped", func(t *testing.T) {
		c := defined(t)
		must(t, set(c, plate.Field, "B-AX 1"))
		must(t, c.DropField(t.Context(), anna, plate.Field))
		if err := c.DropField(t.Context(), anna, plate.Field); !errors.Is(err, roster.ErrNotFound) {
			t.Fatal(err)
		}
		if err := set(c, plate.Field, "B-AX 2"); err == nil {
			t.Fatal("set although it is not defined")
		}
		c.put("5", roster.Patch{Withdraw: []protocol.Field{plate.Field}})
		rules := c.Rules()
		rules.Overrides[floor.Field] = []protocol.Source{protocol.SourceReaders}
		must(t, c.SetOrder(t.Context(), anna, rules))
		if err := c.DropField(t.Context(), anna, floor.Field); err == nil || !strings.Contains(err.Error(), "order") {
			t.Fatal(err)
		}
	})
	t.Run("a failed commit defines nothing", func(t *testing.T) {
		c := newCenter(t)
		c.store = &failing{Store: c.store, fail: true}
		c.open()
		if err := c.PutField(t.Context(), anna, plate); !errors.Is(err, errCommit) || len(c.Fields()) > 0 {
			t.Fatalf("%v %v", err, c.Fields())
		}
	})
}

func TestCustomDefinitions(t *testing.T) {
	for name, test := range map[string]struct {
		c     protocol.Custom
		wants string
	}{
		"text":               {protocol.Custom{Field: "custom:plate", Type: protocol.CustomText}, ""},
		"no prefix":          {protocol.Custom{Field: "plate", Type: protocol.CustomText}, "starts with custom:"},
		"no name":            {protocol.Custom{Field: "custom:", Type: protocol.CustomText}, "a name is"},
		"blank in the name":  {protocol.Custom{Field: "custom:li plate", Type: protocol.CustomText}, "a name is"},
		"no type":            {protocol.Custom{Field: "custom:plate"}, "a type is"},
		"no choices":         {protocol.Custom{Field: "custom:shirt", Type: protocol.CustomChoice}, "choices"},
		"choices of a text":  {protocol.Custom{Field: "custom:plate", Type: protocol.CustomText, Choices: []string{"a"}}, "only a choice"},
		"a choice twice":     {protocol.Custom{Field: "custom:shirt", Type: protocol.CustomChoice, Choices: []string{"M", "m"}}, "named twice"},
		"a choice of blanks": {protocol.Custom{Field: "custom:shirt", Type: protocol.CustomChoice, Choices: []string{" "}}, "no blanks"},
	} {
		err := newCenter(t).PutField(t.Context(), anna, test.c)
		if (err == nil) != (test.wants == "") || (err != nil && !strings.Contains(err.Error(), test.wants)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
