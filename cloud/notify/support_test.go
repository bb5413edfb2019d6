package notify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"doorsync/cloud/notify"
	"doorsync/cloud/roster"
	"doorsync/protocol"
)

const (
	user     = "center@example.org"
	password = "Xyzzy-do-not-show"
)

// outbox is one in memory, with what goes wrong.
type outbox struct {
	mu   sync.Mutex
	rows map[uint64][]byte
	last uint64
	fail func(op string, id uint64) error // nil: nothing
}

func newOutbox() *outbox { return &outbox{rows: map[uint64][]byte{}} }

func (o *outbox) Mails(ctx context.Context, after uint64, fn func(roster.MailRow) bool) error {
	o.mu.Lock()
	var rows []roster.MailRow
	for id, b := range o.rows {
		if id > after {
			rows = append(rows, roster.MailRow{ID: id, Mail: b})
		}
	}
	fail := o.fail
	o.mu.Unlock()
	if fail != nil {
		if err := fail("mails", after); err != nil {
			return err
		}
	}
	slices.SortFunc(rows, func(a, b roster.MailRow) int { return int(a.ID) - int(b.ID) })
	for _, r := range rows {
		if !fn(r) {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

func (o *outbox) PutMails(ctx context.Context, rows []roster.MailRow) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range rows {
		if o.fail != nil {
			if err := o.fail("put", r.ID); err != nil {
				return err
			}
		}
		if r.ID == 0 {
			o.last++
			r.ID = o.last
		}
		o.rows[r.ID] = bytes.Clone(r.Mail)
	}
	return ctx.Err()
}

func (o *outbox) DropMail(ctx context.Context, id uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		if err := o.fail("drop", id); err != nil {
			return err
		}
	}
	delete(o.rows, id)
	return ctx.Err()
}

func (o *outbox) failing(fn func(op string, id uint64) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = fn
}

// received is a mail as the server took it.
type received struct {
	from, to, body string
	at             time.Time
}

// server is a mail server that a test tells what to do. Its hooks may return an
// error, or cut the connection.
type server struct {
	t     *testing.T
	smtp  *smtp.Server
	cert  tls.Certificate
	roots *x509.CertPool

	mu     sync.Mutex
	mails  []received
	logins []string
	dials  int
	accept chan net.Conn

	mechanism string // PLAIN
	refuse    bool   // the login
	hello     func(c *smtp.Conn) error
	mail      func(c *smtp.Conn, from string) error
	rcpt      func(c *smtp.Conn, to string) error
	// data is asked before the mail is read, end after it was.
	data func(c *smtp.Conn, r io.Reader) error
	end  func(c *smtp.Conn, got received) error
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, mechanism: sasl.Plain, accept: make(chan net.Conn)}
	s.cert, s.roots = certificate(t)
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		if s.hello != nil {
			if err := s.hello(c); err != nil {
				return nil, err
			}
		}
		return &session{server: s, conn: c}, nil
	}))
	s.smtp.Domain = "mail.example.org"
	s.smtp.TLSConfig = &tls.Config{Certificates: []tls.Certificate{s.cert}}
	s.smtp.ErrorLog = slogger{}
	return s
}

type slogger struct{}

func (slogger) Printf(string, ...any) {}
func (slogger) Println(...any)        {}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.org"},
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
		DNSNames: []string{"mail.example.org"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}

// memory lets the server be reached without a network, so that it can be part
// of a bubble of testing/synctest.
func (s *server) memory() { s.t.Cleanup(s.serve()) }

// serve begins, and returns what ends it.
func (s *server) serve() (stop func()) {
	done := make(chan error, 1)
	go func() { done <- s.smtp.Serve(listener{s, make(chan struct{})}) }()
	return func() {
		s.smtp.Close()
		<-done
	}
}

type listener struct {
	s      *server
	closed chan struct{}
}

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.s.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error   { close(l.closed); return nil }
func (l listener) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects to a server in memory.
func (s *server) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	here, there := net.Pipe()
	select {
	case s.accept <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// network lets the server listen at a port of its own, and returns the dialer
// that finds it whatever name it is called by.
func (s *server) network(secured bool) func(ctx context.Context, network, address string) (net.Conn, error) {
	var config net.ListenConfig
	l, err := config.Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	address := l.Addr().String()
	if secured {
		l = tls.NewListener(l, s.smtp.TLSConfig)
	}
	done := make(chan error, 1)
	go func() { done <- s.smtp.Serve(l) }()
	s.t.Cleanup(func() {
		s.smtp.Close()
		<-done
	})
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

func (s *server) received() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

func (s *server) keep(m received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mails = append(s.mails, m)
}

// session is one connection to the server.
type session struct {
	server *server
	conn   *smtp.Conn
	known  bool
	mail   received
}

func (s *session) AuthMechanisms() []string { return []string{s.server.mechanism} }

func (s *session) Auth(string) (sasl.Server, error) {
	check := func(_, name, given string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.logins = append(s.server.logins, name)
		if s.server.refuse || name != user || given != password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "no login for " + name + " with " + given}
		}
		s.known = true
		return nil
	}
	if s.server.mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(check), nil
}

// loginServer is the old mechanism LOGIN.
type loginServer struct {
	check func(identity, name, password string) error
	name  string
	step  int
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	l.step++
	switch {
	case l.step == 1 && len(response) == 0:
		return []byte("Username:"), false, nil
	case l.name == "":
		l.name = string(response)
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check("", l.name, string(response))
	}
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.mail.from != "" {
		return answer(503, "one mail after the other")
	}
	if !s.known {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "log in first"}
	}
	if s.server.mail != nil {
		if err := s.server.mail(s.conn, from); err != nil {
			return err
		}
	}
	s.mail.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	if s.server.rcpt != nil {
		return s.server.rcpt(s.conn, to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	if s.server.data != nil {
		if err := s.server.data(s.conn, r); err != nil {
			return err
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err // the end never came: nothing is taken
	}
	s.mail.body, s.mail.at = string(b), time.Now()
	if s.server.end != nil {
		if err := s.server.end(s.conn, s.mail); err != nil {
			return err
		}
	}
	s.server.keep(s.mail)
	return nil
}

func (s *session) Reset()        { s.mail = received{} }
func (s *session) Logout() error { return nil }

var errCut = errors.New("cut")

// cut ends the connection without an answer.
func cut(c *smtp.Conn) error {
	c.Conn().Close()
	return errCut
}

func answer(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}

// logged collects what is logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// options are those of a center whose mail server is s; the log is of level info.
func options(t *testing.T, s *server, o notify.Outbox) (notify.Options, *logged) {
	t.Helper()
	templates, err := notify.LoadTemplates("", "en")
	if err != nil {
		t.Fatal(err)
	}
	log := &logged{}
	return notify.Options{
		Outbox: o, Templates: templates, Roster: "R", Server: "mail.example.org:587", RootCAs: s.roots,
		Username: user, Password: func() (string, error) { return password, nil },
		From: "Zutritt Köln <access@example.org>", ReplyTo: "reception@example.org", Contacts: []string{"it@example.org"},
		Zone: time.UTC, Poll: time.Hour, Dial: s.dial, Logger: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

func open(t *testing.T, o notify.Options) *notify.Notifier {
	t.Helper()
	n, err := notify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// run runs a notifier until the function that it returns is called, or the test ends.
func run(t *testing.T, n *notify.Notifier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// person is somebody with an address, and with secrets that no mail may hold.
func person(id, first, last, email string) protocol.User {
	return protocol.User{
		ID: id,
		Values: map[protocol.Field]protocol.Value{
			protocol.FieldFirstName: protocol.Text(first), protocol.FieldLastName: protocol.Text(last),
			protocol.FieldEmail: protocol.Text(email), protocol.FieldPIN: protocol.Text("271828"),
		},
	}
}

// invite queues an invitation.
func invite(t *testing.T, n *notify.Notifier, o notify.Outbox, u protocol.User, language string) {
	t.Helper()
	b := n.Mail("hr", roster.Effect{Kind: roster.EffectNew}, u, language)
	if b == nil {
		t.Fatalf("no mail for %s", u.ID)
	}
	if err := o.PutMails(t.Context(), []roster.MailRow{{Mail: b}}); err != nil {
		t.Fatal(err)
	}
	n.Wake()
}

func list(t *testing.T, n *notify.Notifier) []notify.Item {
	t.Helper()
	var out []notify.Item
	if err := n.List(t.Context(), 0, func(i notify.Item) bool { out = append(out, i); return true }); err != nil {
		t.Fatal(err)
	}
	return out
}

// states are those of the mails in the outbox, by ID.
func states(t *testing.T, n *notify.Notifier) string {
	t.Helper()
	var out []string
	for _, i := range list(t, n) {
		out = append(out, string(i.State))
	}
	return strings.Join(out, " ")
}
