package notify_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"doorsync/cloud/notify"
	"doorsync/protocol"
)

// once returns what it was given the first time, nil later.
func once[A any](fn func(c *smtp.Conn, a A) error) func(c *smtp.Conn, a A) error {
	var happened atomic.Bool
	return func(c *smtp.Conn, a A) error {
		if happened.Swap(true) {
			return nil
		}
		return fn(c, a)
	}
}

func says[A any](code int, text string) func(*smtp.Conn, A) error {
	return func(*smtp.Conn, A) error { return answer(code, text) }
}

func cuts[A any](c *smtp.Conn, _ A) error { return cut(c) }

// silent answers when nobody listens any more.
func silent[A any](*smtp.Conn, A) error {
	<-time.After(time.Hour)
	return errors.New("nobody listens any more")
}

// cutsInside reads the beginning of a mail and is gone.
func cutsInside(c *smtp.Conn, r io.Reader) error {
	if _, err := io.ReadFull(r, make([]byte, 40)); err != nil {
		return err
	}
	return cut(c)
}

// TestStages lets the server fail once at every stage of the first mail. Each
// mail arrives once or not at all, and the second mail arrives in any case.
func TestStages(t *testing.T) {
	type stage struct {
		fail  func(s *server)
		first string // what becomes of the first mail: sent, unsure or parked
		soon  bool   // both are sent before a minute has passed
	}
	for name, c := range map[string]stage{
		"nothing":           {func(*server) {}, "sent", true},
		"cut at connection": {func(s *server) { h := once(cuts[int]); s.hello = func(c *smtp.Conn) error { return h(c, 0) } }, "sent", true},
		"not now at connection": {func(s *server) {
			h := once(says[int](421, "later"))
			s.hello = func(c *smtp.Conn) error { return h(c, 0) }
		}, "sent", true},
		"silent at connection":          {func(s *server) { h := once(silent[int]); s.hello = func(c *smtp.Conn) error { return h(c, 0) } }, "sent", false},
		"silent at RCPT":                {func(s *server) { s.rcpt = once(silent[string]) }, "sent", false},
		"cut at MAIL":                   {func(s *server) { s.mail = once(cuts[string]) }, "sent", false},
		"not now at MAIL":               {func(s *server) { s.mail = once(says[string](451, "later")) }, "sent", true},
		"sender refused":                {func(s *server) { s.mail = once(says[string](553, "not you")) }, "sent", true},
		"cut after RCPT":                {func(s *server) { s.rcpt = once(cuts[string]) }, "sent", false},
		"greylisted":                    {func(s *server) { s.rcpt = once(says[string](450, "later")) }, "sent", false},
		"recipient refused":             {func(s *server) { s.rcpt = once(says[string](550, "nobody")) }, "parked", true},
		"goes down at RCPT":             {func(s *server) { s.rcpt = once(says[string](421, "down")) }, "sent", true},
		"login wanted at RCPT":          {func(s *server) { s.rcpt = once(says[string](530, "log in")) }, "sent", true},
		"cut in DATA":                   {func(s *server) { s.data = once(cutsInside) }, "sent", false},
		"put off after DATA":            {func(s *server) { s.end = once(says[received](451, "later")) }, "sent", false},
		"refused after DATA":            {func(s *server) { s.end = once(says[received](554, "spam")) }, "parked", true},
		"goes down after DATA":          {func(s *server) { s.end = once(says[received](421, "down")) }, "sent", true},
		"cut before the last answer":    {func(s *server) { s.end = once(cuts[received]) }, "unsure", true},
		"silent before the last answer": {func(s *server) { s.end = once(silent[received]) }, "unsure", false},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, box := newServer(t), newOutbox()
				s.memory()
				c.fail(s)
				if c.first == "unsure" {
					inner := s.end
					s.end = func(c *smtp.Conn, got received) error {
						err := inner(c, got)
						if err != nil {
							s.keep(got) // taken, but it could not say so
						}
						return err
					}
				}
				o, _ := options(t, s, box)
				n := open(t, o)
				invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
				invite(t, n, box, person("2", "Ben", "Example", "ben@example.org"), "")
				run(t, n)
				pass(50 * time.Second)
				if c.soon && !strings.Contains(recipients(s), "ben@example.org") {
					t.Errorf("the second mail waits for the first: %q", recipients(s))
				}
				pass(24 * time.Hour)
				want := "ada@example.org ben@example.org"
				if c.first == "parked" {
					want = "ben@example.org"
				}
				if got := recipients(s); got != want {
					t.Errorf("the server has mail to %q, want %q", got, want)
				}
				if c.first == "parked" && s.dials != 1 {
					t.Errorf("%d connections for mails of which the server refused one", s.dials)
				}
				if got := states(t, n); got != strings.ReplaceAll(c.first, "sent", "") {
					t.Errorf("in the outbox: %q", got)
				}
			})
		})
	}
}

// recipients are the people who got mail, in order of address, each as often as
// they got one.
func recipients(s *server) string {
	var out []string
	for _, m := range s.received() {
		out = append(out, m.to)
	}
	if len(out) == 2 && out[0] > out[1] {
		out[0], out[1] = out[1], out[0]
	}
	return strings.Join(out, " ")
}

// pass lets time go by in a bubble, and what it sets off come to rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestServerAwayAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		o, log := options(t, s, box)
		var away atomic.Bool
		var dials atomic.Int64
		away.Store(true)
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			if away.Load() {
				return nil, errors.New("connection refused")
			}
			return s.dial(ctx, network, address)
		}
		n := open(t, o)
		for _, u := range []string{"a", "b", "c"} {
			invite(t, n, box, person(u, "Ada", "Example", u+"@example.org"), "")
		}
		run(t, n)
		pass(7 * 24 * time.Hour)
		if got := states(t, n); got != "waiting waiting waiting" {
			t.Fatalf("after a week without the server: %s", got)
		}
		if d := dials.Load(); d < 1000 || d > 7*24*12+20 {
			t.Errorf("%d attempts in a week", d)
		}
		if status := n.Status(); !strings.Contains(status.Trouble, "connection refused") || status.Since == nil {
			t.Errorf("status %+v", status)
		}
		if lines := strings.Count(log.String(), "mail waits"); lines != 1 {
			t.Errorf("one trouble is logged %d times", lines)
		}
		away.Store(false)
		pass(5*time.Minute + 10*time.Second)
		if got := len(s.received()); got != 3 || len(box.rows) != 0 {
			t.Errorf("%d mails sent, %d left", got, len(box.rows))
		}
		if status := n.Status(); status.Trouble != "" || status.Sent != 3 {
			t.Errorf("status %+v", status)
		}
	})
}

func TestGivenUpAfterDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		var tries atomic.Int64
		s.rcpt = func(*smtp.Conn, string) error { tries.Add(1); return answer(450, "mailbox of ada@example.org is full") }
		o, log := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		run(t, n)
		pass(5*24*time.Hour - time.Hour)
		if got := states(t, n); got != "waiting" {
			t.Errorf("before: %s", got)
		}
		pass(3 * time.Hour)
		items := list(t, n)
		if len(items) != 1 || items[0].State != notify.StateParked || !strings.Contains(items[0].Reason, "is full") {
			t.Errorf("after: %+v", items)
		}
		if got := tries.Load(); got < 100 || got > 140 {
			t.Errorf("%d tries", got)
		}
		if strings.Contains(log.String(), "ada@") {
			t.Errorf("the log holds an address:\n%s", log)
		}
	})
}

func TestAddressesThatAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		o, _ := options(t, s, box)
		n := open(t, o)
		for _, address := range []string{
			"nobody", "a@b@c", "Ada <ada@example.org>", "ada@example.org\r\nRCPT TO:<victim@example.org>", "ada@example.org, b@example.org",
			"\"a b\"@example.org", strings.Repeat("a", 250) + "@example.org", "jürgen@example.org", "ada@[127.0.0.1]", "ok@müller.example",
		} {
			u := person("1", "Ada", "Example", "x")
			u.Values[protocol.FieldEmail] = protocol.Value{First: address}
			invite(t, n, box, u, "")
		}
		invite(t, n, box, person("2", "Ben", "Example", "ben@example.org"), "")
		run(t, n)
		pass(time.Minute)
		if got := recipients(s); got != "ben@example.org ok@xn--mller-kva.example" {
			t.Errorf("sent to %q", got)
		}
		for _, i := range list(t, n) {
			if i.State != notify.StateParked || i.Reason == "" || strings.ContainsAny(i.To, "\r\n") {
				t.Errorf("%+v", i)
			}
		}
		if got := len(list(t, n)); got != 9 {
			t.Errorf("%d are parked", got)
		}
	})
}

func TestReportsGoFirstAndMailsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		o, _ := options(t, s, box)
		o.Rate = 30
		n := open(t, o)
		for range 120 {
			invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		}
		if err := n.Report(t.Context(), notify.Report{Kind: notify.KindWaiting, Source: "hr", Run: 3}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		run(t, n)
		pass(10 * time.Minute)
		got := s.received()
		if len(got) != 121 {
			t.Fatalf("%d mails", len(got))
		}
		if got[0].to != "it@example.org" {
			t.Errorf("first goes the mail to %s", got[0].to)
		}
		if took := got[120].at.Sub(began); took < 4*time.Minute || took > 5*time.Minute {
			t.Errorf("121 mails at 30 a minute took %v", took)
		}
	})
}

func TestStopLetsTheLastAnswerCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.memory()
		s.end = func(*smtp.Conn, received) error { <-time.After(5 * time.Second); return nil }
		o, _ := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		invite(t, n, box, person("2", "Ben", "Example", "ben@example.org"), "")
		stop := run(t, n)
		pass(time.Second)
		stop()
		if got := recipients(s); got != "ada@example.org" || states(t, n) != "waiting" {
			t.Errorf("sent to %q, in the outbox %q", got, states(t, n))
		}
	})
}

// TestServerThatGoesWhileTheMarkIsWritten: the roster is busy with an import for
// longer than the server waits.
func TestServerThatGoesWhileTheMarkIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.smtp.ReadTimeout = 5 * time.Minute
		s.memory()
		o, _ := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		var busy atomic.Bool
		busy.Store(true)
		box.failing(func(op string, _ uint64) error {
			if op == "put" && busy.Swap(false) {
				<-time.After(6 * time.Minute)
			}
			return nil
		})
		run(t, n)
		pass(time.Hour)
		if got := recipients(s); got != "ada@example.org" || len(box.rows) != 0 {
			t.Errorf("sent to %q, in the outbox %q", got, states(t, n))
		}
	})
}

func TestLettersBeyondASCIIInAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.smtp.EnableSMTPUTF8 = true
		s.memory()
		o, _ := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Jürgen", "Example", "jürgen@example.org"), "")
		run(t, n)
		pass(time.Minute)
		if got := recipients(s); got != "jürgen@example.org" {
			t.Errorf("sent to %q; in the outbox %+v", got, list(t, n))
		}
	})
}

// TestLoginIsNotTriedTooOften: servers lock who does.
func TestLoginIsNotTriedTooOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		s.refuse = true
		s.memory()
		o, log := options(t, s, box)
		n := open(t, o)
		invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
		run(t, n)
		pass(24 * time.Hour)
		if got := len(s.logins); got < 24 || got > 36 {
			t.Errorf("%d logins in a day", got)
		}
		if all := log.String() + n.Status().Trouble; strings.Contains(all, password) || strings.Contains(all, user) {
			t.Errorf("what the server repeats is told:\n%s", all)
		}
	})
}
