package cloud_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/config"
)

// mailbox is a mail server that takes everything.
type mailbox struct{ got chan string }

func (m mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return &delivery{box: m}, nil }

type delivery struct {
	box mailbox
	to  []string
}

func (d *delivery) Mail(string, *smtp.MailOptions) error { return nil }
func (d *delivery) Reset()                               { d.to = nil }
func (d *delivery) Logout() error                        { return nil }

func (d *delivery) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.to = append(d.to, to)
	return nil
}

func (d *delivery) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err == nil {
		d.box.got <- strings.Join(d.to, ",") + "\n" + string(b)
	}
	return err
}

// mailServer runs until the test ends.
func mailServer(t *testing.T) (address string, got <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	box := mailbox{got: make(chan string, 16)}
	s, ended := smtp.NewServer(box), make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return l.Addr().String(), box.got
}

// TestPeopleHearOfImports: who comes is invited, the contacts hear of a file that is
// wrong, and nobody hears of a dry run.
func TestPeopleHearOfImports(t *testing.T) {
	address, got := mailServer(t)
	cfg := settings(t)
	cfg.Mail.Server, cfg.Mail.TLS, cfg.Mail.From, cfg.Mail.Rate = address, config.TLSNone, "doors@example.org", 0
	c, stop := start(t, cfg)
	notify, contacts := true, []string{"it@example.org"}
	_, err := c.AddSource(t.Context(), api.NewSource{Name: "hr", Kind: "csv", SourceChange: api.SourceChange{Notify: &notify, CSV: &api.CSVChange{Contacts: &contacts}}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(dry bool, content string) api.Run {
		t.Helper()
		run, err := c.Import(t.Context(), "hr", client.ImportQuery{Dry: dry, Content: strings.NewReader(content), FileName: "users.csv"})
		if err != nil {
			t.Fatal(err)
		}
		return run
	}
	const good = "First name,Last name,E-mail,ID\nAnna,Meyer,anna@example.org,7001\n"
	if run := send(true, good); run.State != "dry" || run.Counts.New != 1 {
		t.Errorf("dry run: %+v", run)
	}
	if mails, err := c.Mails(t.Context()); err != nil || len(mails) > 0 {
		t.Errorf("a dry run wrote mail: %+v, %v", mails, err)
	}
	if run := send(false, good); run.State != "done" || run.Counts.New != 1 {
		t.Errorf("run: %+v", run)
	}
	expect(t, got, "anna@example.org", "Meyer")
	if run := send(false, good+"Bruno,Keller,no address,7002\n"); run.State != "failed" || run.ErrorCount != 1 {
		t.Errorf("run: %+v", run)
	}
	expect(t, got, "it@example.org", "no address")
	if err := stop(); err != nil {
		t.Error(err)
	}
	select {
	case more := <-got:
		t.Errorf("one mail too many: %s", more)
	default:
	}
}

// expect waits for the next mail.
func expect(t *testing.T, got <-chan string, to, text string) {
	t.Helper()
	select {
	case m := <-got:
		if !strings.HasPrefix(m, to+"\n") || !strings.Contains(m, text) {
			t.Errorf("wanted a mail to %s with %q, got %s", to, text, m)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("no mail to %s", to)
	}
}
