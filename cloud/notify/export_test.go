package notify

import (
	"bytes"
	"time"
)

// Write fills in the template of a kind and language, for tests.
func (t *Templates) Write(k Kind, lang string, l Letter) (subject, plain, html string, err error) {
	chosen, found := t.choose(k, lang)
	l.Kind, l.Language = k, found
	out, err := chosen.write(l, time.UTC)
	return out.subject, out.plain, out.html, err
}

// Message writes a mail out as the server would get it, for tests.
func (n *Notifier) Message(id uint64, row []byte) (string, error) {
	e, err := decodeEntry(row)
	if err != nil {
		return "", err
	}
	m, err := n.compose(id, e)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	_, err = m.message.WriteTo(&b)
	return b.String(), err
}

// ParseAddress is for tests.
func ParseAddress(s string) (string, error) { return parseAddress(s) }

// Span is for tests.
func Span(d time.Duration) string { return span(d) }
