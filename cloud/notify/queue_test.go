package notify_test

import (
	"encoding/base64"
	"encoding/csv"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/protocol"
)

func TestWhoGetsMail(t *testing.T) {
	s := newServer(t)
	o, _ := options(t, s, newOutbox())
	on, off := open(t, o), open(t, notify.Options{Outbox: newOutbox()})
	ada := person("1", "Ada", "Example", "ada@example.org")
	nobody := person("1", "Ada", "Example", "")
	for _, kind := range []roster.EffectKind{
		roster.EffectNew, roster.EffectAssociated, roster.EffectUpdated, roster.EffectRemoved, roster.EffectDeactivated,
		roster.EffectWithdrawn, roster.EffectRefused, roster.EffectUndecided, roster.EffectWarning,
	} {
		want := kind == roster.EffectNew || kind == roster.EffectRemoved
		if got := on.Mail("hr", roster.Effect{Kind: kind}, ada, "") != nil; got != want {
			t.Errorf("%s: mail %v", kind, got)
		}
		if on.Mail("hr", roster.Effect{Kind: kind}, nobody, "") != nil {
			t.Errorf("%s: mail to nobody", kind)
		}
		if off.Mail("hr", roster.Effect{Kind: kind}, ada, "") != nil {
			t.Errorf("%s: mail though no server is set", kind)
		}
	}
}

// TestQueuedMailHoldsNothingSecret looks at the bytes that the outbox keeps.
func TestQueuedMailHoldsNothingSecret(t *testing.T) {
	s := newServer(t)
	o, _ := options(t, s, newOutbox())
	u := person("1", "Ada", "Example", "ada@example.org")
	u.Credentials = []protocol.Credential{protocol.Card(31415926)}
	row := string(open(t, o).Mail("hr", roster.Effect{Kind: roster.EffectNew, Credential: "****5926"}, u, "de"))
	for _, never := range []string{"271828", "5926", "314159"} {
		if strings.Contains(row, never) {
			t.Errorf("the outbox holds %q", never)
		}
	}
	if !strings.Contains(row, "ada@example.org") {
		t.Error("this test looks at something else")
	}
}

func TestReportsGoToTheContacts(t *testing.T) {
	for name, c := range map[string]struct {
		set, given []string
		want       string // and what becomes of it
	}{
		"those of the configuration": {[]string{"a@example.org", "b@example.org"}, nil, "a@example.org waiting b@example.org waiting"},
		"those of the source":        {[]string{"a@example.org"}, []string{"c@example.org"}, "c@example.org waiting"},
		"none":                       {nil, nil, ""},
		"one that is none":           {nil, []string{"nobody", "d@example.org"}, "nobody parked d@example.org waiting"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			s, box := newServer(t), newOutbox()
			o, _ := options(t, s, box)
			o.Contacts = c.set
			n := open(t, o)
			if err := n.Report(t.Context(), notify.Report{Kind: notify.KindOverdue, Source: "hr", Contacts: c.given}); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, i := range list(t, n) {
				got = append(got, i.To, string(i.State))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestReportThatCannotBeQueued(t *testing.T) {
	s, box := newServer(t), newOutbox()
	o, _ := options(t, s, box)
	box.failing(func(string, uint64) error { return errDisk })
	if err := open(t, o).Report(t.Context(), notify.Report{Kind: notify.KindFailure, Source: "hr"}); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "source hr") {
		t.Errorf("got %v", err)
	}
	if err := open(t, notify.Options{Outbox: box}).Report(t.Context(), notify.Report{Kind: notify.KindFailure}); err != nil {
		t.Errorf("while mail is off: %v", err)
	}
}

// TestErrorsAreAttached reads the attached file as a spreadsheet does.
func TestErrorsAreAttached(t *testing.T) {
	s, box := newServer(t), newOutbox()
	o, _ := options(t, s, box)
	n := open(t, o)
	r := notify.Report{Kind: notify.KindFailure, Source: "hr", Run: 7, File: "people.csv", Count: 5000}
	for i := range 1200 {
		r.Errors = append(r.Errors, notify.RowError{Line: i + 2, Column: "+name", Value: "=1+1\nÄ,\"", Wrong: "no name", Wanted: "a name"})
	}
	if err := n.Report(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	message, err := n.Message(1, box.rows[1])
	if err != nil {
		t.Fatal(err)
	}
	plain, attached := parts(t, message)
	if got := strings.Count(plain, "wanted: a name"); got != 50 || !strings.Contains(plain, "and 4950 more") {
		t.Errorf("%d errors in the text:\n%s", got, plain)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(attached, "\uFEFF"))).ReadAll()
	if err != nil || len(rows) != 1001 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[1000], "|"); got != "people.csv|1001|'+name|'=1+1 Ä,\"|no name|a name" {
		t.Errorf("the last row is %s", got)
	}
}

// parts gives the text and the attached file of a message.
func parts(t *testing.T, message string) (plain, attached string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(kind string, body io.Reader)
	walk = func(kind string, body io.Reader) {
		media, params, err := mime.ParseMediaType(kind)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(media, "multipart/") {
			b, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			switch media {
			case "text/plain":
				plain = string(b)
			case "text/csv":
				attached = string(b)
			}
			return
		}
		r := multipart.NewReader(body, params["boundary"])
		for {
			part, err := r.NextPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			walk(part.Header.Get("Content-Type"), decoded(part))
		}
	}
	walk(m.Header.Get("Content-Type"), m.Body)
	return strings.ReplaceAll(plain, "\r\n", "\n"), attached
}

func decoded(p *multipart.Part) io.Reader {
	switch strings.ToLower(p.Header.Get("Content-Transfer-Encoding")) {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, p)
	case "quoted-printable":
		return quotedprintable.NewReader(p)
	default:
		return p
	}
}

// TestMessageIDs are one for each mail, and the same however often it is sent.
func TestMessageIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, box := newServer(t), newOutbox()
		o, _ := options(t, s, box)
		n := open(t, o)
		seen := map[string]string{}
		id := func(what string, n *notify.Notifier, number uint64, row []byte) string {
			message, err := n.Message(number, row)
			if err != nil {
				t.Fatal(err)
			}
			got := header(t, received{body: message}, "Message-ID")
			if other, ok := seen[got]; ok {
				t.Errorf("%s and %s have the ID %s", what, other, got)
			}
			seen[got] = what
			return got
		}
		ada := n.Mail("hr", roster.Effect{Kind: roster.EffectNew}, person("1", "Ada", "Example", "ada@example.org"), "")
		first := id("Ada's", n, 1, ada)
		id("the next", n, 2, ada)
		id("the farewell", n, 1, n.Mail("hr", roster.Effect{Kind: roster.EffectRemoved}, person("1", "Ada", "Example", "ada@example.org"), ""))
		id("Ben's under the same number", n, 1, n.Mail("hr", roster.Effect{Kind: roster.EffectNew}, person("2", "Ben", "Example", "ben@example.org"), ""))
		o.Roster = "another"
		id("another roster's", open(t, o), 1, ada)
		<-time.After(time.Hour)
		if message, err := n.Message(1, ada); err != nil || header(t, received{body: message}, "Message-ID") != first {
			t.Errorf("an hour later it is another ID, %v", err)
		}
		id("Ada's, invited again an hour later", n, 1, n.Mail("hr", roster.Effect{Kind: roster.EffectNew}, person("1", "Ada", "Example", "ada@example.org"), ""))
	})
}

func TestOptionsThatAreWrong(t *testing.T) {
	s := newServer(t)
	for want, change := range map[string]func(*notify.Options){
		"mail.from":        func(o *notify.Options) { o.From = "nobody" },
		"mail.reply-to":    func(o *notify.Options) { o.ReplyTo = "a@b@c" },
		"mail.contacts[1]": func(o *notify.Options) { o.Contacts = []string{"a@example.org", "b"} },
		"mail.username":    func(o *notify.Options) { o.TLS = notify.TLSNone },
	} {
		o, _ := options(t, s, newOutbox())
		change(&o)
		if _, err := notify.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestMailThatIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := newOutbox()
		n := open(t, notify.Options{Outbox: box})
		box.rows[1] = []byte{1}
		stop := run(t, n)
		pass(time.Hour)
		stop()
		if n.Enabled() || n.Status().Enabled || len(box.rows) != 1 {
			t.Errorf("%+v, %d rows", n.Status(), len(box.rows))
		}
	})
}

// FuzzOutbox: whatever a row holds is listed, and can be dropped.
func FuzzOutbox(f *testing.F) {
	n, err := notify.New(notify.Options{Outbox: newOutbox(), Server: "mail.example.org:25", From: "a@example.org"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(n.Mail("hr", roster.Effect{Kind: roster.EffectNew}, person("1", "Ada", "Example", "ada@example.org"), "de"))
	f.Add([]byte{0xa1, 0x61, 'v', 0x01})
	templates, err := notify.LoadTemplates("", "en")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		box := newOutbox()
		box.rows[7] = row
		n := open(t, notify.Options{Outbox: box, Templates: templates, Server: "mail.example.org:25", From: "a@example.org"})
		if items := list(t, n); len(items) != 1 || items[0].State == "" {
			t.Errorf("listed as %+v", items)
		}
		if message, err := n.Message(7, row); err == nil {
			if _, err := mail.ReadMessage(strings.NewReader(message)); err != nil {
				t.Errorf("a message that is none: %v\n%s", err, message)
			}
		}
		if err := n.Drop(t.Context(), 7); err != nil {
			t.Error(err)
		}
	})
}

// FuzzAddress: what is taken for an address is one line, and one address.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"ada@example.org", "a@b, c@d", "<a@b>", "a@b\r\nRCPT TO:<c@d>", "ä@ö.example", `"a b"@c`, "a@[1.2.3.4]", "a(b)@c", strconv.Itoa(1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := notify.ParseAddress(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(got, "\r\n\x00<> ,;\"") || strings.Count(got, "@") != 1 || len(got) > 254 {
			t.Errorf("%q is taken as %q", s, got)
		}
		if again, err := notify.ParseAddress(got); err != nil || again != got {
			t.Errorf("%q is taken as %q, and then as %q, %v", s, got, again, err)
		}
	})
}
