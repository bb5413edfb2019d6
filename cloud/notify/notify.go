// Package notify sends e-mail: invitations and farewells to people whom a source
// brings or no longer names, and reports about imports to the contacts of the
// office. Mail waits in the roster's outbox until the mail server has taken it,
// and nothing is sent twice. DESIGN.md says how.
package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"os"
	"sync"
	"time"

	"doorsync/cloud/roster"
)

// How the connection to the mail server is encrypted, as the configuration
// spells it.
const (
	TLSStart = "starttls"
	TLSFull  = "tls"
	TLSNone  = "none"
)

// Outbox keeps mail until it is sent. Every method is one transaction, durable
// when it returns nil.
type Outbox interface {
	// Mails are those after an ID, oldest first. fn returns false to stop, and
	// must not call the outbox.
	Mails(ctx context.Context, after uint64, fn func(roster.MailRow) bool) error
	// PutMails adds rows of ID 0, and replaces the others.
	PutMails(ctx context.Context, rows []roster.MailRow) error
	DropMail(ctx context.Context, id uint64) error
}

// Options are what a Notifier needs. Without a Server it sends and queues
// nothing.
type Options struct {
	Outbox    Outbox
	Templates *Templates
	Roster    string // the roster's ID, for message IDs

	Server   string // host:port
	TLS      string // TLSStart if ""
	RootCAs  *x509.CertPool
	Username string                 // "": no login
	Password func() (string, error) // asked at every login
	From     string                 // an address, or a name and an address
	ReplyTo  string
	Contacts []string // whom reports go to
	Rate     int      // mails a minute at most; 0 is no limit

	Zone    *time.Location // of times in mails; time.Local if nil
	Now     func() time.Time
	Timeout time.Duration // of an answer of the server; a minute if 0
	Poll    time.Duration // how often the outbox is looked at; 10 s if 0
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Logger  *slog.Logger
}

// Notifier queues mail and sends it. It is safe for use by several goroutines.
type Notifier struct {
	o       Options
	log     *slog.Logger
	from    mail.Address
	replyTo *mail.Address
	wake    chan struct{}

	// rows is held while a row of the outbox is read and written by what it was;
	// mu is taken inside it.
	rows sync.Mutex
	mu   sync.Mutex
	now  standing
}

// standing is what a Notifier knows beside the outbox, under mu.
type standing struct {
	current uint64 // the mail under way; 0 is none
	// owed are rows that could not be written after their mail was settled: nil
	// was sent and is to be dropped.
	owed    map[uint64]*entry
	trouble error // why the server takes no mail; nil: it does
	since   time.Time
	until   time.Time // nothing is tried before
	fails   int       // in a row
	sent    uint64
	last    time.Time // when the server last answered about a mail
}

// New checks the options; it connects to nothing.
func New(o Options) (*Notifier, error) {
	o.defaults()
	n := &Notifier{o: o, log: o.Logger, wake: make(chan struct{}, 1), now: standing{owed: map[uint64]*entry{}}}
	if !n.Enabled() {
		return n, nil
	}
	from, err := mailbox(o.From)
	if err != nil {
		return nil, fmt.Errorf("mail.from: %w", err)
	}
	n.from = *from
	if o.ReplyTo != "" {
		if n.replyTo, err = mailbox(o.ReplyTo); err != nil {
			return nil, fmt.Errorf("mail.reply-to: %w", err)
		}
	}
	for i, c := range o.Contacts {
		if n.o.Contacts[i], err = parseAddress(c); err != nil {
			return nil, fmt.Errorf("mail.contacts[%d]: %w", i, err)
		}
	}
	if o.Username != "" && o.TLS == TLSNone {
		return nil, errors.New("mail.username: not with tls: none, which would send the password unencrypted")
	}
	return n, nil
}

func (o *Options) defaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Poll == 0 {
		o.Poll = 10 * time.Second
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.TLS == "" {
		o.TLS = TLSStart
	}
	o.Contacts = append([]string(nil), o.Contacts...)
}

// mailbox takes an address with or without a name before it.
func mailbox(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, fmt.Errorf("%q is no e-mail address", s)
	}
	if a.Address, err = parseAddress(a.Address); err != nil {
		return nil, err
	}
	a.Name = oneLine(a.Name, 120)
	return a, nil
}

// LoadRoots reads the authorities that the mail server's certificate may come
// from, PEM; "" gives nil, the system's own.
func LoadRoots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read mail.ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("read mail.ca-file: %s holds no certificate in PEM", path)
	}
	return pool, nil
}

// Enabled reports whether mail is sent at all.
func (n *Notifier) Enabled() bool { return n.o.Server != "" }

// Wake has the outbox looked at now.
func (n *Notifier) Wake() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}
