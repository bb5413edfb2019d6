package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"
)

// login takes the best that the server offers. The library's own choice does
// not see that a connection was encrypted from the first byte.
type login struct {
	user, password, host string
	chosen               smtp.Auth
}

// Start is smtp.Auth's.
func (l *login) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("the connection is not encrypted, and the password is not sent over it")
	}
	offers := func(name string) bool {
		return slices.ContainsFunc(server.Auth, func(o string) bool { return strings.EqualFold(o, name) })
	}
	switch {
	case offers("SCRAM-SHA-256"):
		l.chosen = smtp.ScramSHA256Auth(l.user, l.password)
	case offers("PLAIN"):
		l.chosen = smtp.PlainAuth("", l.user, l.password, l.host, false)
	case offers("LOGIN"):
		l.chosen = smtp.LoginAuth(l.user, l.password, l.host, false)
	case offers("CRAM-MD5"):
		l.chosen = smtp.CRAMMD5Auth(l.user, l.password)
	default:
		return "", nil, fmt.Errorf("the server offers no login that is known here (%s)", oneLine(strings.Join(server.Auth, " "), 100))
	}
	return l.chosen.Start(server)
}

// Next is smtp.Auth's.
func (l *login) Next(fromServer []byte, more bool) ([]byte, error) {
	return l.chosen.Next(fromServer, more)
}
