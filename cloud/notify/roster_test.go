package notify_test

import (
	"net/mail"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/cloud/roster/sqlstore"
)

// TestThroughTheRoster keeps the outbox in the roster's own database, and opens
// it anew with mails of every state in it.
func TestThroughTheRoster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	s := newServer(t)
	s.end = func(c *smtp.Conn, got received) error {
		if strings.HasPrefix(got.to, "unsure") {
			s.keep(got)
			return cut(c)
		}
		return nil
	}
	s.rcpt = func(_ *smtp.Conn, to string) error {
		if strings.HasPrefix(to, "parked") {
			return answer(550, "nobody")
		}
		return nil
	}
	dial := s.network(false)
	begin := func() (*notify.Notifier, *roster.Roster, func()) {
		store, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Reserve: 1 << 16})
		if err != nil {
			t.Fatal(err)
		}
		r, err := roster.Open(t.Context(), store, roster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		o, _ := options(t, s, r)
		o.Dial, o.Roster = dial, r.ID()
		n := open(t, o)
		return n, r, func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	n, r, end := begin()
	for _, who := range []string{"parked", "ada", "unsure"} {
		invite(t, n, r, person("1", "Ada", "Example", who+"@example.org"), "")
	}
	stop := run(t, n)
	await(t, s, 2) // ada, and the one that is cut
	awaitTrouble(t, n, "may have been sent")
	stop()
	invite(t, n, r, person("1", "Ada", "Example", "waiting@example.org"), "")
	before := list(t, n)
	end()

	n, _, end = begin()
	defer end()
	if got := states(t, n); got != "parked unsure waiting" {
		t.Fatalf("after the start: %s", got)
	}
	for i, after := range list(t, n) {
		if after != before[i] {
			t.Errorf("before: %+v, after: %+v", before[i], after)
		}
	}
	stop = run(t, n)
	await(t, s, 3)
	if err := n.Resend(t.Context(), before[1].ID); err != nil {
		t.Fatal(err)
	}
	got := await(t, s, 4)
	stop()
	var ids []string
	for _, m := range got {
		parsed, err := mail.ReadMessage(strings.NewReader(m.body))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.to+parsed.Header.Get("Message-ID"))
	}
	if ids[1] != ids[3] || ids[0] == ids[2] {
		t.Errorf("sent: %v", ids)
	}
}
