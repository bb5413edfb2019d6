package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// grace is how long a mail that was handed over is waited for when the program
// ends: its answer decides whether it is known to be sent.
const grace = 10 * time.Second

// session is a connection to the mail server, logged in. One goroutine uses it.
type session struct {
	client  *smtp.Client
	conn    net.Conn // under the encryption, for deadlines
	timeout time.Duration
	// handed is set from the moment when the server may take the mail for
	// complete until it has answered.
	handed atomic.Bool
	forget func() bool // ends what ctx does to the connection
}

// dial connects, encrypts and logs in. Every error is a trouble.
func (n *Notifier) dial(ctx context.Context) (*session, error) {
	s := &session{timeout: n.o.Timeout}
	// The library closes nothing when it fails, and heeds ctx only while it dials.
	within, cancel := context.WithTimeout(ctx, 4*n.o.Timeout)
	defer cancel()
	s.forget = func() bool { return true }
	client, err := n.client(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := n.o.Dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		s.conn, s.forget = conn, context.AfterFunc(within, func() { conn.Close() })
		return n.encrypt(ctx, conn)
	})
	if err != nil {
		return nil, trouble{Stage: "set up", Err: err}
	}
	s.client, err = client.DialToSMTPClientWithContext(within)
	if untouched := s.forget(); err == nil && !untouched {
		err = context.Cause(within)
	}
	if err != nil {
		if s.conn != nil {
			s.conn.Close()
		}
		return nil, explainDial(err)
	}
	s.forget = context.AfterFunc(ctx, s.interrupt)
	return s, nil
}

// client is the library's, set up as the options say.
func (n *Notifier) client(dial mail.DialContextFunc) (*mail.Client, error) {
	host, port, err := net.SplitHostPort(n.o.Server)
	if err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("port of the mail server: %w", err)
	}
	o := []mail.Option{
		mail.WithPort(number), mail.WithTimeout(n.o.Timeout), mail.WithDialContextFunc(dial), mail.WithTLSConfig(n.tls()),
	}
	switch n.o.TLS {
	case TLSFull:
		o = append(o, mail.WithSSL())
	case TLSNone:
		o = append(o, mail.WithTLSPolicy(mail.NoTLS))
	default:
		o = append(o, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if n.o.Username != "" {
		password, err := n.o.Password()
		if err != nil {
			return nil, err
		}
		o = append(o, mail.WithSMTPAuthCustom(&login{user: n.o.Username, password: password, host: host}))
	}
	return mail.NewClient(host, o...)
}

func (n *Notifier) tls() *tls.Config {
	host, _, err := net.SplitHostPort(n.o.Server)
	if err != nil {
		host = n.o.Server
	}
	return &tls.Config{ServerName: host, RootCAs: n.o.RootCAs, MinVersion: tls.VersionTLS12}
}

// encrypt begins TLS at once where the server wants that.
func (n *Notifier) encrypt(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if n.o.TLS != TLSFull {
		return conn, nil
	}
	secured := tls.Client(conn, n.tls())
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secured, nil
}

// interrupt ends the session, at once or, where an answer decides about a mail,
// after a while.
func (s *session) interrupt() {
	if !s.handed.Load() || s.conn.SetDeadline(time.Now().Add(grace)) != nil {
		s.conn.Close()
	}
}

// close says goodbye, in a second at most.
func (s *session) close() {
	s.forget()
	if s.client.UpdateDeadline(time.Second) == nil {
		if s.client.Quit() == nil {
			return
		}
	}
	s.conn.Close()
}

// cut ends the connection without a word: what is half said stays half said.
func (s *session) cut() {
	s.forget()
	s.conn.Close()
}

// send hands one mail over. Once the server has everything but the end of the
// mail, mark is called; only if it returns nil is the mail ended. nil means
// that the server has taken it; every other outcome is a *failure.
func (s *session) send(m envelope, mark func() error) error {
	if err := s.client.UpdateDeadline(s.timeout); err != nil {
		return s.failed("connection", err)
	}
	s.client.SkipSMTPUTF8(ascii(m.from) && ascii(m.to))
	if has, _ := s.client.Extension("SMTPUTF8"); !has && !ascii(m.to) {
		return &failure{verdict: park, stage: "RCPT", err: errors.New("the address has letters beyond ASCII before the @, which the mail server does not take")}
	}
	if err := s.client.Mail("<" + m.from + ">"); err != nil {
		return s.failed("MAIL", err)
	}
	if err := s.client.Rcpt("<" + m.to + ">"); err != nil {
		return s.failed("RCPT", err)
	}
	w, err := s.client.Data()
	if err != nil {
		return s.failed("DATA", err)
	}
	if err := s.client.UpdateDeadline(10 * s.timeout); err != nil { // large mails, slow filters
		return s.failed("content", err)
	}
	if _, err := m.message.WriteTo(w); err != nil {
		return s.failed("content", err)
	}
	if err := s.listening(); err != nil {
		return s.failed("content", err)
	}
	began := time.Now()
	if err := mark(); err != nil {
		return &failure{verdict: unmarked, stage: "content", err: err}
	}
	if time.Since(began) > time.Second { // the roster was taking in a large import
		if err := s.listening(); err != nil {
			return s.failed("content", err)
		}
	}
	if err := s.client.UpdateDeadline(10 * s.timeout); err != nil {
		return s.failed("content", err)
	}
	s.handed.Store(true)
	defer s.handed.Store(false)
	if err := w.Close(); err != nil {
		return s.failed("end", err)
	}
	return nil
}

// listening looks whether the server still takes the mail: one that is gone, or
// speaks before the mail has ended, has not taken it for certain.
func (s *session) listening() error {
	if err := s.client.Text.W.Flush(); err != nil {
		return err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(2 * time.Millisecond)); err != nil {
		return err
	}
	_, err := s.client.Text.R.Peek(1)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	if err != nil {
		return err
	}
	code, text, err := s.client.Text.ReadResponse(0)
	if err != nil {
		return err
	}
	return &textproto.Error{Code: code, Msg: text}
}
