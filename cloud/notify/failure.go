package notify

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/textproto"
	"strings"
)

// verdict is what becomes of a mail that was not taken.
type verdict int

const (
	retry    verdict = iota // not sent; again later
	park                    // not sent; refused for good
	away                    // not sent; the server takes no mail at all now
	severed                 // not sent; the connection broke while it was under way
	unmarked                // not sent; the outbox could not note that it would be
	unsure                  // handed over, never answered
)

// failure is why a mail was not taken. Its text holds the server's own words,
// which may hold addresses: it goes to people who see the outbox, not to logs.
type failure struct {
	verdict verdict
	stage   string // "RCPT", as the protocol calls it
	code    int    // of the server's answer; 0 without one
	err     error
}

// Error says it for people.
func (f *failure) Error() string {
	switch {
	case f.verdict == unsure:
		return "the mail was handed over, but the connection ended before the server answered; it may have been sent"
	case f.code != 0:
		return fmt.Sprintf("the mail server answered %s: %s", f.stage, oneLine(f.err.Error(), 400))
	default:
		return fmt.Sprintf("%s: %s", f.stage, oneLine(f.err.Error(), 400))
	}
}

// Unwrap is for errors.Is.
func (f *failure) Unwrap() error { return f.err }

// failed judges an error by the stage it came at.
func (s *session) failed(stage string, err error) error {
	f := &failure{stage: stage, err: err}
	answer, answered := errors.AsType[*textproto.Error](err)
	if answered {
		f.code = answer.Code
	}
	switch {
	case !answered && stage == "end":
		f.verdict = unsure
	case !answered:
		f.verdict = severed
	case f.code == 421, loginNeeded(f.code):
		f.verdict = away
	case stage == "MAIL":
		// This speaks of the sender, who is the same for all mail.
		f.verdict = away
	case stage == "content" && f.code != 552:
		// It spoke before its turn, of itself more likely than of the mail, which
		// it has not seen whole; 552 is a mail too large.
		f.verdict = retry
	case f.code >= 500 && f.code < 600:
		f.verdict = park
	case f.code >= 400 && f.code < 500:
		f.verdict = retry
	case stage == "end":
		// A success that is not 250, or no answer of SMTP at all.
		f.verdict = unsure
	default:
		f.verdict = severed
	}
	return f
}

// loginNeeded tells answers about the login, which the server may give to any
// command.
func loginNeeded(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// trouble is why the mail server takes no mail at all. Its text is for people
// who set up the server; it holds no password, and no address.
type trouble struct {
	Stage string
	Code  int
	Err   error
}

const stageLogin = "log in"

// Error says it for people.
func (t trouble) Error() string { return t.Stage + ": " + oneLine(t.Err.Error(), 400) }

// Unwrap is for errors.Is.
func (t trouble) Unwrap() error { return t.Err }

// explainDial says what to do where that is known.
func explainDial(err error) error {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return explainAnswer(answer, err)
	}
	if untrusted, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return trouble{Stage: "encrypt", Err: fmt.Errorf("the mail server's certificate is not trusted: %w; name its authority with mail.ca-file, or the server as the certificate does", untrusted.Err)}
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return trouble{Stage: "encrypt", Err: errors.New("the mail server does not speak TLS from the first byte; set mail.tls to starttls, or use its other port")}
	}
	if text := err.Error(); strings.Contains(text, "does not support STARTTLS") {
		return trouble{Stage: "encrypt", Err: errors.New("the mail server offers no STARTTLS; set mail.tls to tls and use its other port")}
	}
	if strings.Contains(err.Error(), "AUTH") {
		return trouble{Stage: stageLogin, Err: err}
	}
	return trouble{Stage: "connect", Err: err}
}

// explainAnswer leaves out the words of an answer to a login: some servers
// repeat what they were sent.
func explainAnswer(answer *textproto.Error, err error) error {
	if strings.Contains(err.Error(), "SMTP AUTH failed") {
		return trouble{Stage: stageLogin, Code: answer.Code, Err: fmt.Errorf("the mail server refuses the login with code %d; see to mail.username and mail.password-file", answer.Code)}
	}
	return trouble{Stage: "connect", Code: answer.Code, Err: err}
}
