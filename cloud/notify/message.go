package notify

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	stdmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// envelope is a message and whom it goes to, addresses alone.
type envelope struct {
	from, to string
	message  *mail.Msg
}

// compose writes a mail out. An error means that this mail cannot be written,
// today or tomorrow.
func (n *Notifier) compose(id uint64, e entry) (envelope, error) {
	to, err := parseAddress(e.Mail.To)
	if err != nil {
		return envelope{}, err
	}
	chosen, lang := n.o.Templates.choose(e.Mail.Kind, e.Mail.Language)
	if chosen.plain == nil {
		return envelope{}, fmt.Errorf("there is no template for mail of kind %q", e.Mail.Kind)
	}
	words, err := chosen.write(Letter{
		Kind: e.Mail.Kind, Language: lang, Sender: n.sender(), Contact: n.contact(),
		Source: e.Mail.Source, Run: e.Mail.Run, Person: e.Mail.Person, Report: e.Mail.Report,
	}, n.o.Zone)
	if err != nil {
		return envelope{}, err
	}
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.SetAddrHeaderFromMailAddress(mail.HeaderFrom, &n.from)
	m.SetAddrHeaderFromMailAddress(mail.HeaderTo, &stdmail.Address{Name: oneLine(e.Mail.Name, 120), Address: to})
	if n.replyTo != nil {
		m.SetAddrHeaderFromMailAddress(mail.HeaderReplyTo, n.replyTo)
	}
	m.Subject(words.subject)
	m.SetMessageIDWithValue(n.messageID(id, e))
	m.SetDateWithValue(time.UnixMilli(e.Queued).In(n.o.Zone))
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	m.SetGenHeader("X-Auto-Response-Suppress", "All")
	m.SetGenHeader("Content-Language", lang)
	m.SetBodyString(mail.TypeTextPlain, words.plain)
	if words.html != "" {
		m.AddAlternativeString(mail.TypeTextHTML, words.html)
	}
	if err := attach(m, e.Mail); err != nil {
		return envelope{}, err
	}
	return envelope{from: n.from.Address, to: to, message: m}, nil
}

// messageID is the same whenever a mail is sent, so that mailboxes can tell
// that it is one. What the mail is goes into it: after a backup of the roster
// was restored, the same number may be another mail's.
func (n *Notifier) messageID(id uint64, e entry) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s\n%s\n%s\n%d\n%s",
		n.o.Roster, id, e.Queued, e.Mail.Kind, e.Mail.To, e.Mail.Source, e.Mail.Run, e.Mail.Person.UserID))
	_, domain, _ := strings.Cut(n.from.Address, "@")
	return fmt.Sprintf("doorsync.%d.%s@%s", id, hex.EncodeToString(sum[:12]), domain)
}

func (n *Notifier) sender() string {
	if n.from.Name != "" {
		return n.from.Name
	}
	return n.from.Address
}

func (n *Notifier) contact() string {
	if n.replyTo != nil {
		return n.replyTo.Address
	}
	return n.from.Address
}

// attach adds the errors of a report as a file for spreadsheets.
func attach(m *mail.Msg, what Mail) error {
	if len(what.Report.Errors) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("\uFEFF") // spreadsheets take it for UTF-8
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{{"file", "line", "column", "value", "wrong", "wanted"}}
	for _, e := range what.Report.Errors {
		rows = append(rows, []string{cell(what.Report.File), strconv.Itoa(e.Line), cell(e.Column), cell(e.Value), cell(e.Wrong), cell(e.Wanted)})
	}
	if err := w.WriteAll(rows); err != nil {
		return fmt.Errorf("write errors: %w", err)
	}
	name := fmt.Sprintf("errors-%s-%d.csv", fileName(what.Source), what.Run)
	return m.AttachReader(name, &b, mail.WithFileContentType("text/csv; charset=utf-8"))
}

// cell keeps a spreadsheet from taking what somebody wrote into a file for a
// formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// fileName leaves of a name what every system takes.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
}
