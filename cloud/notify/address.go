package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The longest address that a mail server has to take (RFC 5321).
const maxAddress = 254

// parseAddress takes an address alone, without a name or anything else, and
// returns it as mail servers want it: domains beyond ASCII in their ASCII form.
func parseAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", errors.New("the address is empty")
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
		return "", errors.New("the address holds control characters; write one like name@example.org")
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || strings.ContainsAny(s, "<>") {
		return "", errors.New("this is no e-mail address; write one like name@example.org")
	}
	at := strings.LastIndexByte(a.Address, '@')
	local, domain := a.Address[:at], a.Address[at+1:]
	if !ascii(domain) {
		if domain, err = idna.Lookup.ToASCII(domain); err != nil {
			return "", fmt.Errorf("the domain of the address is not valid: %w", err)
		}
	}
	if strings.ContainsAny(local, " \"\\") || strings.ContainsAny(domain, " []") {
		return "", errors.New("addresses with blanks, quotes or brackets are not supported; write one like name@example.org")
	}
	if out := local + "@" + domain; len(out) <= maxAddress {
		return out, nil
	}
	return "", fmt.Errorf("the address is longer than %d characters", maxAddress)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// oneLine makes text from elsewhere fit for one line of a header or a report:
// control characters and runs of blanks become one blank, and what is longer
// than the limit in characters is cut.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
}
