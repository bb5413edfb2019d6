package notify_test

import (
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"doorsync/cloud/notify"
)

// await waits until the server has so many mails, as long as the test may run.
func await(t *testing.T, s *server, count int) []received {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for {
		if got := s.received(); len(got) >= count {
			return got
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("the server has %d mails, not %d", len(s.received()), count)
		}
	}
}

func TestDeliveryOverTheNetwork(t *testing.T) {
	for name, c := range map[string]struct {
		tls, mechanism string
	}{
		"STARTTLS, PLAIN":           {notify.TLSStart, sasl.Plain},
		"STARTTLS, LOGIN":           {notify.TLSStart, sasl.Login},
		"TLS from the first, PLAIN": {notify.TLSFull, sasl.Plain},
		"TLS from the first, LOGIN": {notify.TLSFull, sasl.Login},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s, box := newServer(t), newOutbox()
			s.mechanism = c.mechanism
			o, log := options(t, s, box)
			o.TLS, o.Dial = c.tls, s.network(c.tls == notify.TLSFull)
			n := open(t, o)
			invite(t, n, box, person("100001", "Zoë", "Müller", "zoe@example.org"), "en")
			run(t, n)
			got := await(t, s, 1)[0]
			if got.from != "access@example.org" || got.to != "zoe@example.org" {
				t.Errorf("from %s to %s", got.from, got.to)
			}
			for _, never := range []string{password, "zoe@", user, "271828"} {
				if strings.Contains(log.String(), never) {
					t.Errorf("the log holds %q:\n%s", never, log)
				}
			}
			if strings.Contains(got.body, "271828") {
				t.Errorf("the mail holds the PIN:\n%s", got.body)
			}
		})
	}
}

func TestDeliveryWithoutEncryptionOrLogin(t *testing.T) {
	s, box := newServer(t), newOutbox()
	s.mail = nil
	o, _ := options(t, s, box)
	o.TLS, o.Username, o.Dial = notify.TLSNone, "", s.network(false)
	n := open(t, o)
	invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
	stop := run(t, n)
	awaitTrouble(t, n, "530") // this server asks for a login
	stop()
	if got := states(t, n); got != "waiting" {
		t.Errorf("the mail is %s", got)
	}
	if len(s.logins) > 0 {
		t.Error("it logged in")
	}
}

// awaitTrouble waits until the status tells of it.
func awaitTrouble(t *testing.T, n *notify.Notifier, text string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !strings.Contains(n.Status().Trouble, text) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("no %q in the status: %+v", text, n.Status())
		}
	}
}

func TestHeaders(t *testing.T) {
	s, box := newServer(t), newOutbox()
	o, _ := options(t, s, box)
	o.Dial = s.network(false)
	n := open(t, o)
	long := strings.Repeat("Größenwahnsinnig ", 8)
	invite(t, n, box, person("100001", long, "Müller\r\nBcc: victim@example.org\r\n", "zoe@example.org"), "de-AT")
	if err := n.Report(t.Context(), notify.Report{
		Kind: notify.KindFailure, Source: "hr\r\nBcc: victim@example.org", Run: 7, File: "people.csv", Text: "Correct the file.",
		Errors: []notify.RowError{{Line: 3, Column: "name", Value: "=HYPERLINK(\"x\")", Wanted: "a name"}},
	}); err != nil {
		t.Fatal(err)
	}
	run(t, n)
	for _, got := range await(t, s, 2) {
		m, err := mail.ReadMessage(strings.NewReader(got.body))
		if err != nil {
			t.Fatal(err)
		}
		if m.Header.Get("Bcc") != "" || got.to == "victim@example.org" {
			t.Errorf("a header was smuggled in:\n%s", got.body)
		}
		for line := range strings.SplitSeq(strings.SplitN(got.body, "\r\n\r\n", 2)[0], "\r\n") {
			if len(line) > 78 || strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
				t.Errorf("header line of %d characters, or beyond ASCII: %q", len(line), line)
			}
		}
		for header, want := range map[string]string{
			"From": "Zutritt Köln <access@example.org>", "Reply-To": "<reception@example.org>", "Auto-Submitted": "auto-generated",
		} {
			if decoded := decode(t, m.Header.Get(header)); strings.ReplaceAll(decoded, `"`, "") != want {
				t.Errorf("%s: got %q, want %q", header, decoded, want)
			}
		}
		if got.to == "zoe@example.org" {
			checkInvitation(t, m)
		} else {
			checkReport(t, m, got.body)
		}
	}
}

func checkInvitation(t *testing.T, m *mail.Message) {
	t.Helper()
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != "zoe@example.org" || !strings.HasPrefix(to[0].Name, "Größenwahnsinnig Größenwahnsinnig") {
		t.Errorf("to %v, %v", to, err)
	}
	if subject := decode(t, m.Header.Get("Subject")); subject != "Ihr Zutritt ist eingerichtet" {
		t.Errorf("subject %q", subject)
	}
	if !strings.Contains(m.Header.Get("Content-Type"), "multipart/alternative") {
		t.Errorf("content type %s", m.Header.Get("Content-Type"))
	}
	if id := m.Header.Get("Message-ID"); !strings.HasPrefix(id, "<doorsync.1.") || !strings.HasSuffix(id, "@example.org>") {
		t.Errorf("message ID %q", id)
	}
}

func checkReport(t *testing.T, m *mail.Message, body string) {
	t.Helper()
	if subject := decode(t, m.Header.Get("Subject")); subject != "Import hr Bcc: victim@example.org failed: nothing was changed" {
		t.Errorf("subject %q", subject)
	}
	if !strings.Contains(body, `filename="errors-hr__Bcc__victim_example_org-7.csv"`) {
		t.Errorf("no errors are attached:\n%s", body)
	}
}

func decode(t *testing.T, header string) string {
	t.Helper()
	var words mime.WordDecoder
	out, err := words.DecodeHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestServersThatAreNotTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *server, o *notify.Options)
		want   string
	}{
		"unknown authority": {func(_ *server, o *notify.Options) { o.RootCAs = nil }, "certificate is not trusted"},
		"another name":      {func(_ *server, o *notify.Options) { o.Server = "smtp.example.net:587" }, "certificate is not trusted"},
		"no STARTTLS":       {func(s *server, _ *notify.Options) { s.smtp.TLSConfig = nil }, "offers no STARTTLS"},
		"TLS at once":       {func(_ *server, o *notify.Options) { o.TLS = notify.TLSFull }, "set mail.tls to starttls"},
		"login refused":     {func(s *server, _ *notify.Options) { s.refuse = true }, "refuses the login with code 535"},
		"login refused, LOGIN": {func(s *server, _ *notify.Options) {
			s.refuse, s.mechanism = true, sasl.Login
		}, "refuses the login with code 535"},
		"no login known": {func(s *server, _ *notify.Options) { s.mechanism = "X-OWN" }, "no login that is known here"},
		"no password": {func(_ *server, o *notify.Options) {
			o.Password = func() (string, error) { return "", io.ErrUnexpectedEOF }
		}, "set up: unexpected EOF"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s, box := newServer(t), newOutbox()
			o, log := options(t, s, box)
			c.change(s, &o)
			o.Dial = s.network(false)
			n := open(t, o)
			invite(t, n, box, person("1", "Ada", "Example", "ada@example.org"), "")
			stop := run(t, n)
			awaitTrouble(t, n, c.want)
			stop()
			if got := states(t, n); got != "waiting" || len(s.received()) > 0 {
				t.Errorf("the mail is %s, the server has %d", got, len(s.received()))
			}
			if all := log.String() + n.Status().Trouble; strings.Contains(all, password) || strings.Contains(all, "ada@") || strings.Contains(log.String(), user) {
				t.Errorf("something is told that must not be:\n%s", all)
			}
		})
	}
}
