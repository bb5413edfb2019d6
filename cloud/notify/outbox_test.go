package notify_test

import (
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"
	"pgregory.net/rapid"

	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
)

var errDisk = errors.New("disk full")

// TestKilledWhileHandingOver kills the program between the mark in the outbox
// and the server's answer.
func TestKilledWhileHandingOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		killed := newOutbox()
		s.end = func(*smtp.Conn, received) error {
			box.mu.Lock() // what a killed program leaves behind
			defer box.mu.Unlock()
			for id, b := range box.rows {
				killed.rows[id], killed.last = slices.Clone(b), id
			}
			return nil
		}
		o, _ := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		stop := run(t, n)
		pass(time.Minute)
		stop()
		s.end = nil

		o.Outbox = killed
		n = open(t, o)
		run(t, n)
		pass(48 * time.Hour)
		items := list(t, n)
		if len(items) != 1 || items[0].State != notify.StateUnsure || !strings.Contains(items[0].Reason, "may have been sent") {
			t.Fatalf("after the start: %+v", items)
		}
		if got := len(s.received()); got != 1 {
			t.Fatalf("the mail was sent %d times", got)
		}
		if err := n.Resend(t.Context(), items[0].ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		got := s.received()
		if len(got) != 2 || len(list(t, n)) != 0 {
			t.Fatalf("sent again: %d mails, %+v", len(got), list(t, n))
		}
		if a, b := header(t, got[0], "Message-ID"), header(t, got[1], "Message-ID"); a != b || a == "" {
			t.Errorf("sent again under another ID: %s, %s", a, b)
		}
	})
}

func header(t *testing.T, r received, name string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header.Get(name)
}

func TestOutboxThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		op   string
		sent int // while it fails
		then int
	}{
		"cannot be read":      {"mails", 0, 1},
		"cannot mark":         {"put", 0, 1},
		"cannot drop":         {"drop", 1, 1},
		"cannot do any of it": {"", 0, 1},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, box := newServer(t), newOutbox()
				s.memory()
				o, log := options(t, s, box)
				n := open(t, o)
				invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
				box.failing(func(op string, _ uint64) error {
					if c.op == "" || op == c.op {
						return errDisk
					}
					return nil
				})
				run(t, n)
				pass(24 * time.Hour)
				if got := len(s.received()); got != c.sent {
					t.Errorf("%d mails sent while the outbox fails, want %d", got, c.sent)
				}
				if !strings.Contains(log.String(), "disk full") {
					t.Errorf("nothing of it in the log:\n%s", log)
				}
				if c.op == "drop" {
					if got := list(t, n); len(got) != 0 {
						t.Errorf("what was sent is listed: %+v", got)
					}
					if err := n.Resend(t.Context(), 1); !errors.Is(err, notify.ErrSending) {
						t.Errorf("sending it again: %v", err)
					}
				}
				box.failing(nil)
				pass(24 * time.Hour)
				if got := len(s.received()); got != c.then || len(box.rows) != 0 {
					t.Errorf("afterwards %d mails, %d rows", got, len(box.rows))
				}
			})
		})
	}
}

func TestResendAndDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		var refuse atomic.Bool
		refuse.Store(true)
		s.rcpt = func(*smtp.Conn, string) error {
			if refuse.Load() {
				return answer(550, "no such mailbox")
			}
			return nil
		}
		o, _ := options(t, s, box)
		n := open(t, o)
		for _, id := range []string{"1", "2"} {
			invite(t, n, box, person(id, "Ada", "Example", "ada"+id+"@example.org"), "")
		}
		run(t, n)
		pass(time.Minute)
		items := list(t, n)
		if len(items) != 2 || items[0].State != notify.StateParked || !strings.Contains(items[0].Reason, "550") ||
			items[0].Kind != notify.KindInvite || items[0].Source != "hr" || items[0].Attempts != 1 {
			t.Fatalf("listed: %+v", items)
		}
		refuse.Store(false)
		if err := n.Resend(t.Context(), items[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := n.Drop(t.Context(), items[1].ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if got := recipients(s); got != "ada1@example.org" || len(box.rows) != 0 {
			t.Errorf("sent to %q, %d left", got, len(box.rows))
		}
		for what, err := range map[string]error{
			"resend of one that is gone": n.Resend(t.Context(), items[0].ID), "drop of one that is gone": n.Drop(t.Context(), items[1].ID),
			"drop of none": n.Drop(t.Context(), 0),
		} {
			if !errors.Is(err, roster.ErrNotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func TestMailUnderWayIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		s.end = func(*smtp.Conn, received) error { <-time.After(time.Minute); return nil }
		o, _ := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		run(t, n)
		pass(time.Second)
		if got := states(t, n); got != string(notify.StateSending) {
			t.Errorf("it is %s", got)
		}
		if err := n.Drop(t.Context(), 1); !errors.Is(err, notify.ErrSending) {
			t.Errorf("drop: %v", err)
		}
		if err := n.Resend(t.Context(), 1); !errors.Is(err, notify.ErrSending) {
			t.Errorf("resend: %v", err)
		}
		pass(2 * time.Minute)
		if len(s.received()) != 1 || len(box.rows) != 0 {
			t.Errorf("%d mails, %d rows", len(s.received()), len(box.rows))
		}
	})
}

func TestDamagedRowsBlockNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		o, _ := options(t, s, box)
		n := open(t, o)
		whole := n.Mail("hr", roster.Effect{Kind: roster.EffectNew}, person("1", "Ada", "Example", "ada@example.org"), "")
		for _, b := range [][]byte{nil, {0xff}, whole[:len(whole)/2], slices.Concat([]byte{0xa1, 0x61, 'v', 0x02})} {
			if err := box.PutMails(t.Context(), []roster.MailRow{{Mail: b}}); err != nil {
				t.Fatal(err)
			}
		}
		invite(t, n, box, person("2", "Ben", "Example", "ben@example.org"), "")
		run(t, n)
		pass(time.Minute)
		if got := recipients(s); got != "ben@example.org" {
			t.Errorf("sent to %q", got)
		}
		items := list(t, n)
		if len(items) != 4 {
			t.Fatalf("%+v", items)
		}
		for _, i := range items {
			if i.State != notify.StateUnreadable || n.Resend(t.Context(), i.ID) == nil {
				t.Errorf("%+v", i)
			}
			if err := n.Drop(t.Context(), i.ID); err != nil {
				t.Error(err)
			}
		}
		if len(box.rows) != 0 {
			t.Errorf("%d rows are left", len(box.rows))
		}
	})
}

// TestNeverTwice plays servers and disks that fail at random, and programs that
// are killed: nobody gets a mail twice, and none is lost without a word.
func TestNeverTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := life{
			luck:   rapid.SliceOfN(rapid.IntRange(0, 11), 0, 100).Draw(r, "luck"),
			people: rapid.IntRange(1, 6).Draw(r, "people"),
			spans:  rapid.SliceOfN(rapid.IntRange(0, 100), 1, 4).Draw(r, "minutes"),
		}
		var wrong []string
		synctest.Test(t, func(t *testing.T) { wrong = l.live(t) })
		for _, w := range wrong {
			r.Error(w)
		}
	})
}

// life is what befalls some mails: what goes wrong at each step, and after how
// many minutes the program is stopped and started.
type life struct {
	luck   []int
	people int
	spans  []int
}

func (l life) live(t *testing.T) []string {
	s, box := newServer(t), newOutbox()
	var throws atomic.Int64
	throw := func() int {
		if at := int(throws.Add(1)) - 1; at < len(l.luck) {
			return l.luck[at]
		}
		return -1
	}
	lucky := func(c *smtp.Conn) error {
		switch throw() {
		case 0:
			return cut(c)
		case 1:
			return answer(421, "down")
		case 2:
			return answer(450, "later")
		case 3:
			return answer(550, "never")
		default:
			return nil
		}
	}
	s.mail = func(c *smtp.Conn, _ string) error { return lucky(c) }
	s.rcpt = func(c *smtp.Conn, _ string) error { return lucky(c) }
	s.data = func(c *smtp.Conn, _ io.Reader) error { return lucky(c) }
	s.end = func(c *smtp.Conn, got received) error {
		err := lucky(c)
		if errors.Is(err, errCut) {
			s.keep(got) // taken, but cut before it could say so
		}
		return err
	}
	var dead atomic.Bool
	defer s.serve()()
	o, _ := options(t, s, box)
	n := open(t, o)
	for i := range l.people {
		invite(t, n, box, person("1", "Ada", "Example", string(rune('a'+i))+"@example.org"), "")
	}
	box.failing(func(op string, _ uint64) error {
		if op == "mails" {
			return nil
		}
		switch throw() {
		case 4:
			return errDisk
		case 5: // as good as killed: nothing is written before the next start
			dead.Store(true)
		}
		if dead.Load() {
			return errDisk
		}
		return nil
	})
	for _, minutes := range l.spans {
		dead.Store(false)
		stop := run(t, n)
		pass(time.Duration(minutes) * time.Minute)
		stop()
		n = open(t, o)
	}
	dead.Store(false)
	box.failing(nil)
	stop := run(t, n)
	pass(10 * 24 * time.Hour)
	stop()
	return l.account(t, s, n)
}

// account says what became of the mails that must not.
func (l life) account(t *testing.T, s *server, n *notify.Notifier) (wrong []string) {
	sent, known := map[string]int{}, map[string]bool{}
	for _, m := range s.received() {
		known[m.to] = true
		if sent[m.to]++; sent[m.to] > 1 {
			wrong = append(wrong, m.to+" got the mail twice")
		}
	}
	for _, i := range list(t, n) {
		known[i.To] = true
		if i.State != notify.StateUnsure && i.State != notify.StateParked || i.State == notify.StateParked && sent[i.To] > 0 {
			wrong = append(wrong, fmt.Sprintf("%d times sent, and %+v", sent[i.To], i))
		}
	}
	if len(known) != l.people {
		wrong = append(wrong, fmt.Sprintf("of %d people %d are accounted for", l.people, len(known)))
	}
	return wrong
}
