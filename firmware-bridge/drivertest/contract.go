package drivertest

import (
	"testing"

	"doorsync/firmware-bridge/driver"
)

// contract examines what every reader can do, over a good line.
func contract(t *testing.T, c Case) {
	t.Run("empty", func(t *testing.T) {
		_, s := fresh(t, c)
		same(t, "the table of a fresh reader", list(t, s), nil)
	})
	t.Run("put_lists_the_projection", func(t *testing.T) {
		b, s := fresh(t, c)
		want := project(t, s, c.Users...)
		put(t, s, want...)
		same(t, "the table after put", list(t, s), want)
		same(t, "the reader itself", b.held(t, s), want)
		put(t, s, want...)
		same(t, "the table after the same put again", list(t, s), want)
	})
	t.Run("another_session_sees_it", func(t *testing.T) {
		b, s := fresh(t, c)
		want := project(t, s, c.Users...)
		put(t, s, want...)
		if err := s.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		same(t, "the table in another session", list(t, open(t, c.New(t, b.Address))), want)
	})
	t.Run("overwrite", func(t *testing.T) { overwrite(t, c) })
	t.Run("delete", func(t *testing.T) { deleteRows(t, c) })
	t.Run("nothing_to_do", func(t *testing.T) {
		_, s := fresh(t, c)
		put(t, s)
		remove(t, s)
	})
}

func overwrite(t *testing.T, c Case) {
	b, s := fresh(t, c)
	put(t, s, project(t, s, c.Users...)...)
	edited := project(t, s, c.Edited)
	if d := differ(edited, project(t, s, c.Users[0])); d == "" {
		t.Fatal("drivertest: Edited projects to the same rows as Users[0]")
	}
	put(t, s, edited...)
	want := append(edited, project(t, s, c.Users[1:]...)...)
	same(t, "the table after an edit", list(t, s), want)
	same(t, "the reader itself", b.held(t, s), want)
}

func deleteRows(t *testing.T, c Case) {
	b, s := fresh(t, c)
	put(t, s, project(t, s, c.Users...)...)
	gone := keys(project(t, s, c.Users[1]))
	remove(t, s, gone...)
	var want []driver.Row
	for i, u := range c.Users {
		if i != 1 {
			want = append(want, project(t, s, u)...)
		}
	}
	same(t, "the table after a delete", list(t, s), want)
	same(t, "the reader itself", b.held(t, s), want)
	remove(t, s, gone...) // what is not there is no error
	same(t, "the table after deleting what is not there", list(t, s), want)
	put(t, s, project(t, s, c.Users[1])...)
	same(t, "the table after putting it back", list(t, s), project(t, s, c.Users...))
	remove(t, s, keys(project(t, s, c.Users...))...)
	same(t, "the table after deleting all", list(t, s), nil)
}

// projection examines what Project promises without a reader's help.
func projection(t *testing.T, c Case) {
	_, s := fresh(t, c)
	for _, u := range c.Users {
		rows := project(t, s, u)
		same(t, "projecting "+u.ID+" twice", project(t, s, u), rows)
		for _, r := range rows {
			if r.Key == "" {
				t.Errorf("user %q: a row without a key", u.ID)
			}
			if len(r.User.Groups) != 0 {
				t.Errorf("row %s: groups are set; a reader's table has none", r.Key)
			}
		}
	}
	for _, u := range c.Refused {
		rows, left := projector(t, s).Project(u)
		if len(rows) != 0 || len(left) == 0 {
			t.Errorf("user %q: %d rows and %d reasons; want no row and why", u.ID, len(rows), len(left))
		}
		for _, l := range left {
			if l.Reason == "" {
				t.Errorf("user %q: left out without a reason", u.ID)
			}
		}
	}
}

// atTheReader examines that edits made at the reader are seen.
func atTheReader(t *testing.T, c Case) {
	b, s := fresh(t, c)
	if b.Put == nil || b.Remove == nil {
		return
	}
	rows := project(t, s, c.Users...)
	b.Put(t, rows...)
	same(t, "the table after enrolling at the reader", list(t, s), rows)
	edited := project(t, s, c.Edited)
	b.Put(t, edited...)
	want := append(edited, project(t, s, c.Users[1:]...)...)
	same(t, "the table after an edit at the reader", list(t, s), want)
	gone := keys(project(t, s, c.Users[2]))
	b.Remove(t, gone...)
	left, _ := byKey(want)
	for _, k := range gone {
		delete(left, k)
	}
	want = want[:0:0]
	for _, r := range left {
		want = append(want, r)
	}
	same(t, "the table after a delete at the reader", list(t, s), want)
}

func manyRows(t *testing.T, c Case) {
	n := c.Many
	if n == 0 {
		n = 1000
	}
	b, s := fresh(t, c)
	var rows []driver.Row
	for i := range n {
		rows = append(rows, project(t, s, c.User(i))...)
	}
	put(t, s, rows...)
	same(t, "a large table", list(t, s), rows)
	same(t, "the reader itself", b.held(t, s), rows)
	var gone []string
	var want []driver.Row
	for i, r := range rows {
		if i%3 == 0 {
			gone = append(gone, r.Key)
		} else {
			want = append(want, r)
		}
	}
	remove(t, s, gone...)
	same(t, "a large table with holes", list(t, s), want)
}
