package journal

import (
	"context"
	"fmt"
	"testing"
	"time"

	"doorsync/protocol"
)

func (s *site) append(b Batch) {
	s.Helper()
	_, err := s.Append(context.Background(), b)
	s.must(err)
}

func TestRowsAndCursors(t *testing.T) {
	s := open1(t)
	var rows []Row
	for n := range 3*rowsAtOnce + 7 {
		rows = append(rows, Row{Key: fmt.Sprintf("%05d", n), Held: []byte{byte(n)}})
	}
	s.append(Batch{Reader: "front", Rows: rows, Cursor: []byte("17")})
	s.append(Batch{Reader: "back", Rows: []Row{{Key: "1", Intent: []byte("x")}, {Key: "2", Absent: true}}})
	s.append(Batch{Reader: "back", Rows: []Row{{Key: "1"}}})
	count := func(reader string) (n int) {
		for row, err := range s.Rows(reader) {
			s.must(err)
			if reader == "front" && (row.Key != rows[n].Key || row.Held[0] != byte(n) || row.Intent != nil) {
				t.Fatalf("row %d is %+v", n, row)
			}
			n++
		}
		return n
	}
	if count("front") != len(rows) || count("back") != 1 || count("none") != 0 {
		t.Fatal("wrong rows")
	}
	if row, ok, err := s.Row("back", "2"); err != nil || !ok || !row.Absent || row.Held != nil {
		t.Fatalf("row %+v %v %v", row, ok, err)
	}
	if _, ok, _ := s.Row("back", "1"); ok {
		t.Fatal("a removed row is there")
	}
	if c, err := s.Cursor("front"); err != nil || string(c) != "17" {
		t.Fatalf("cursor %q %v", c, err)
	}
	s.append(Batch{Reader: "front", ForgetRows: true, Cursor: []byte{}, Rows: rows[:1]})
	if c, _ := s.Cursor("front"); c != nil || count("front") != 1 {
		t.Fatal("not forgotten")
	}
	if _, err := s.Append(context.Background(), Batch{Rows: rows[:1]}); err == nil {
		t.Fatal("rows of no reader were taken")
	}
	if _, err := s.Append(context.Background(), Batch{Drafts: []Draft{{Edit: &protocol.Edit{}}}}); err == nil {
		t.Fatal("an edit of nobody was taken")
	}
}

func TestGivenUp(t *testing.T) {
	s := open1(t)
	at := time.UnixMilli(1_700_000_000_000)
	s.append(Batch{Reader: "front", GivenUp: []GivenUp{{GivenUpKey: GivenUpKey{Key: "1"}, UserID: "1", Reason: "refused", Tries: 5, At: at}}})
	s.append(Batch{GivenUp: []GivenUp{{GivenUpKey: GivenUpKey{Reader: "front2", Key: "2"}, Reason: "full", Want: []byte("w")}}})
	got, err := s.GivenUp("front")
	s.must(err)
	if len(got) != 1 || got[0].Reader != "front" || got[0].Key != "1" || !got[0].At.Equal(at) || got[0].Tries != 5 || got[0].Reason != "refused" {
		t.Fatalf("%+v", got)
	}
	if all, _ := s.GivenUp(""); len(all) != 2 || all[1].At.IsZero() || string(all[1].Want) != "w" {
		t.Fatalf("%+v", all)
	}
	s.append(Batch{Reader: "front", Forget: []GivenUpKey{{Key: "1"}}})
	if all, _ := s.GivenUp(""); len(all) != 1 || all[0].Reader != "front2" {
		t.Fatalf("%+v", all)
	}
}

func TestEntries(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	start := now
	s := openAt(t, t.TempDir()+"/j.db", Options{Now: func() time.Time { return now }})
	const total = 3*rowsAtOnce + 5
	for n := range total {
		now = start.Add(time.Duration(n) * time.Minute)
		b := Batch{Drafts: []Draft{{Event: protocol.EventStarted}}}
		if n%2 == 0 {
			b = Batch{Reader: "front", Drafts: []Draft{{Event: protocol.EventUpdatedCentral, UserID: fmt.Sprint(n % 10)}}}
		}
		s.append(b)
	}
	check := func(what string, q Query, n int, first, last uint64) {
		t.Helper()
		got := s.all(q)
		if len(got) != n || n > 0 && (got[0].Number != first || got[n-1].Number != last) {
			t.Errorf("%s: %d entries, want %d", what, len(got), n)
		}
	}
	check("all", Query{}, total, 1, total)
	check("newest", Query{Newest: true}, total, total, 1)
	check("limit", Query{Newest: true, Limit: 3}, 3, total, total-2)
	check("from", Query{From: 10, Limit: 2}, 2, 10, 11)
	check("newest from", Query{From: 10, Newest: true}, 10, 10, 1)
	check("since", Query{Since: start.Add(10 * time.Minute)}, total-10, 11, total)
	check("between", Query{Since: start.Add(10 * time.Minute), Until: start.Add(20 * time.Minute)}, 10, 11, 20)
	check("newest between", Query{Since: start.Add(10 * time.Minute), Until: start.Add(20 * time.Minute), Newest: true}, 10, 20, 11)
	check("nothing", Query{Until: start}, 0, 0, 0)
	check("nothing new", Query{Since: now.Add(1), Newest: true}, 0, 0, 0)
	check("user", Query{User: "4", Limit: 2}, 2, 5, 15)
	check("reader", Query{Reader: "front", Limit: 2}, 2, 1, 3)
	check("event", Query{Events: []protocol.Event{protocol.EventStarted}, Limit: 2}, 2, 2, 4)
	check("origin", Query{Origin: OriginCentral, Limit: 2}, 2, 1, 3)
	// Followers hear of the next one.
	next := s.Next()
	s.append(Batch{Drafts: []Draft{{Event: protocol.EventStopped}}})
	<-next
	check("follow", Query{From: total + 1}, 1, total+1, total+1)
}
