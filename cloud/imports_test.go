package cloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"doorsync/cloud/api"
	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/cloud/sources"
	"doorsync/cloud/sources/csvfile"
)

// TestBothSidesSayTheSame: what imports report and what the API shows are the same
// JSON, in which nothing gets lost or is made up.
func TestBothSidesSayTheSame(t *testing.T) {
	for name, c := range map[string]struct{ ours, theirs any }{
		"reports":  {&sources.Report{}, &api.Run{}},
		"settings": {&sources.Settings{}, &api.CSVSettings{}},
		"status":   {&sources.Status{}, &api.SourceStatus{}},
		"progress": {&sources.Progress{}, &api.ImportProgress{}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, way := range [][2]any{{c.ours, c.theirs}, {c.theirs, c.ours}} {
				from := reflect.New(reflect.TypeOf(way[0]).Elem())
				fill(from.Elem(), 3)
				said, err := json.Marshal(from.Interface())
				if err != nil {
					t.Fatal(err)
				}
				into := reflect.New(reflect.TypeOf(way[1]).Elem())
				d := json.NewDecoder(bytes.NewReader(said))
				d.DisallowUnknownFields()
				if err := d.Decode(into.Interface()); err != nil {
					t.Errorf("%T does not know what %T says: %v", way[1], way[0], err)
				}
				if again, err := json.Marshal(into.Interface()); err != nil || !same(said, again) {
					t.Errorf("said %s\nshown %s (%v)", said, again, err)
				}
			}
		})
	}
}

func same(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// fill sets every field to something, to a depth.
func fill(v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), depth)
			}
		}
	case reflect.Pointer:
		if depth > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth-1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth)
	case reflect.String:
		v.SetString("1h") // which is an interval, too
	case reflect.Int64:
		v.SetInt(int64(time.Hour))
	case reflect.Int:
		v.SetInt(7)
	case reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(2.5)
	case reflect.Bool:
		v.SetBool(true)
	default:
	}
}

func TestSettingsAreChangedAndChecked(t *testing.T) {
	var i imports
	file, tab := "/srv/users.csv", "tab"
	kept, err := i.Settings(nil, api.CSVChange{File: &file})
	if err != nil {
		t.Fatal(err)
	}
	if kept, err = i.Settings(kept, api.CSVChange{Delimiter: &tab}); err != nil {
		t.Fatal(err)
	}
	s, err := sources.ParseSettings(kept)
	if err != nil || s.File != file || s.Format.Delimiter != tab || time.Duration(s.Interval) != time.Hour || !s.Watch || s.Guard.Percent != 20 {
		t.Errorf("got %+v, %v", s, err)
	}
	for name, c := range map[string]struct {
		change api.CSVChange
		want   string
	}{
		"an interval": {api.CSVChange{Interval: new("soon")}, "soon"},
		"a delimiter": {api.CSVChange{Delimiter: new("dot")}, "dot"},
		"a column":    {api.CSVChange{Columns: new("A=shoe")}, "shoe"},
		"a contact":   {api.CSVChange{Contacts: &[]string{"nobody"}}, "nobody"},
	} {
		if _, err := i.Settings(kept, c.change); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestErrorsKeepBothNames(t *testing.T) {
	for ours, theirs := range map[error]error{
		sources.ErrBusy: api.ErrBusy, sources.ErrConfirm: api.ErrConfirm, sources.ErrNoFile: api.ErrNoFile, roster.ErrNotFound: roster.ErrNotFound,
	} {
		got := inWordsOfAPI(ours)
		if !errors.Is(got, ours) || !errors.Is(got, theirs) || got.Error() != ours.Error() {
			t.Errorf("%v: got %v", ours, got)
		}
	}
	if err := mailTrouble(notify.ErrSending); !errors.Is(err, api.ErrRefused) {
		t.Errorf("got %v", err)
	}
}

func TestAnErrorInOneLineOfAMail(t *testing.T) {
	got := rowError(csvfile.Error{Line: 3, Column: 4, Name: "E-mail", Value: "x", Wrong: "no address", Wanted: "one"})
	if got != (notify.RowError{Line: 3, Column: "4 E-mail", Value: "x", Wrong: "no address", Wanted: "one"}) {
		t.Errorf("got %+v", got)
	}
}
