package drivertest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/protocol"
)

// patience is how long one operation on a good line may take.
const patience = 15 * time.Second

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, d driver.Driver) driver.Session {
	t.Helper()
	s, err := d.Open(soon(t))
	// A reader that takes one client at a time may not have noticed yet that
	// the one before is gone.
	for range 5 {
		if err == nil {
			break
		}
		<-time.After(50 * time.Millisecond)
		s, err = d.Open(soon(t))
	}
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fresh starts a reader and opens a session with it over a good line.
func fresh(t *testing.T, c Case) (Bench, driver.Session) {
	t.Helper()
	b := c.Start(t)
	return b, open(t, c.New(t, b.Address))
}

func project(t *testing.T, s driver.Session, users ...protocol.User) []driver.Row {
	t.Helper()
	var out []driver.Row
	for _, u := range users {
		rows, _ := projector(t, s).Project(u)
		if len(rows) == 0 {
			t.Fatalf("user %q of the case has no row in this reader", u.ID)
		}
		out = append(out, rows...)
	}
	return out
}

func projector(t *testing.T, s driver.Session) driver.Projector {
	t.Helper()
	p, ok := s.(driver.Projector)
	if !ok {
		t.Fatal("the session is no driver.Projector; every session must be one")
	}
	return p
}

func list(t *testing.T, s driver.Session) []driver.Row {
	t.Helper()
	rows, err := s.List(soon(t))
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return rows
}

func put(t *testing.T, s driver.Session, rows ...driver.Row) {
	t.Helper()
	res, err := s.Put(soon(t), rows)
	done(t, "put", len(rows), res, err)
}

func remove(t *testing.T, s driver.Session, keys ...string) {
	t.Helper()
	res, err := s.Delete(soon(t), keys)
	done(t, "delete", len(keys), res, err)
}

func done(t *testing.T, what string, n int, res driver.Results, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(res) != n {
		t.Fatalf("%s: %d results for %d rows", what, len(res), n)
	}
	for i, e := range res {
		if e != nil {
			t.Fatalf("%s: row %d: %v", what, i, e)
		}
	}
}

// held are the rows of the reader as it tells itself, or as the driver lists
// them.
func (b Bench) held(t *testing.T, s driver.Session) []driver.Row {
	t.Helper()
	if b.Rows != nil {
		return b.Rows(t)
	}
	return list(t, s)
}

// same fails the test unless both tables hold the same.
func same(t *testing.T, what string, got, want []driver.Row) {
	t.Helper()
	if d := differ(got, want); d != "" {
		t.Fatalf("%s: %s", what, d)
	}
}

// differ tells how two tables differ, "" if they do not. Contents are named by
// key and field alone: they may be secrets.
func differ(got, want []driver.Row) string {
	g, dup := byKey(got)
	if dup != "" {
		return fmt.Sprintf("row %s comes twice", dup)
	}
	w, _ := byKey(want)
	var out []string
	for k, row := range w {
		switch have, ok := g[k]; {
		case !ok:
			out = append(out, "lacks "+k)
		case !have.Equal(row):
			out = append(out, "other contents in "+k+": "+parts(have, row))
		}
	}
	for k := range g {
		if _, ok := w[k]; !ok {
			out = append(out, "has "+k+", which should not be there")
		}
	}
	slices.Sort(out)
	if len(out) > 5 {
		out = append(out[:5], fmt.Sprintf("and %d more", len(out)-5))
	}
	return strings.Join(out, "; ")
}

func byKey(rows []driver.Row) (map[string]driver.Row, string) {
	out := make(map[string]driver.Row, len(rows))
	for _, r := range rows {
		if _, ok := out[r.Key]; ok {
			return out, r.Key
		}
		out[r.Key] = r
	}
	return out, ""
}

// parts names what differs between two rows.
func parts(got, want driver.Row) string {
	var out []string
	for _, f := range append(protocol.Fields(), custom(got, want)...) {
		if g, w := got.User.Value(f), want.User.Value(f); g != w {
			out = append(out, fmt.Sprintf("%s is %q, not %q", f, f.Show(g), f.Show(w)))
		}
	}
	if got.User.ID != want.User.ID {
		out = append(out, fmt.Sprintf("user ID is %q, not %q", got.User.ID, want.User.ID))
	}
	if fmt.Sprint(got.Doors) != fmt.Sprint(want.Doors) {
		out = append(out, fmt.Sprintf("doors are %v, not %v", got.Doors, want.Doors))
	}
	if g, w := credentials(got), credentials(want); g != w {
		out = append(out, fmt.Sprintf("credentials are %s, not %s", g, w))
	}
	return strings.Join(out, ", ")
}

func custom(rows ...driver.Row) []protocol.Field {
	var out []protocol.Field
	for _, r := range rows {
		for f := range r.User.Values {
			if !slices.Contains(protocol.Fields(), f) && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

func credentials(r driver.Row) string {
	cs := slices.SortedFunc(slices.Values(r.User.Credentials), func(a, b protocol.Credential) int {
		return cmp.Compare(a.Key(), b.Key())
	})
	return fmt.Sprint(cs)
}

func keys(rows []driver.Row) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.Key
	}
	return out
}
