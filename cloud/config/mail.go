package config

import (
	"fmt"
	"net"
	"net/mail"
	"strings"

	"golang.org/x/text/language"
)

// How the connection to the mail server is encrypted.
const (
	TLSStart = "starttls" // after the first words, usually port 587
	TLSFull  = "tls"      // from the first byte, usually port 465
	TLSNone  = "none"     // not at all; no login then
)

// Mail is how e-mail is sent. Without a server none is.
type Mail struct {
	Server       string `yaml:"server"` // host:port
	TLS          string `yaml:"tls"`
	CAFile       string `yaml:"ca-file"` // certificates to trust instead of the system's
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password-file"`
	From         string `yaml:"from"`
	ReplyTo      string `yaml:"reply-to"`
	// Contacts receive the reports of imports that failed, wait or do not come.
	Contacts []string `yaml:"contacts"`
	// Language is of people whose own is not known or has no templates (BCP 47).
	Language string `yaml:"language"`
	// Templates is the folder of the office's own templates.
	Templates string `yaml:"templates"`
	// Rate is how many mails are sent a minute at most; 0 is no limit.
	Rate int `yaml:"rate"`
}

// Enabled reports whether mail is sent.
func (m Mail) Enabled() bool { return m.Server != "" }

// Password reads the password file; "" without one.
func (m Mail) Password() (string, error) {
	if m.PasswordFile == "" {
		return "", nil
	}
	return readSecret("mail.password-file", m.PasswordFile)
}

func defaultMail() Mail { return Mail{TLS: TLSStart, Language: "en", Rate: 60} }

// Warnings are settings that work but that somebody should know of.
func (m Mail) Warnings() []string {
	if m.Enabled() && m.TLS == TLSNone {
		return []string{"mail.tls is none: mail goes to the server unencrypted, with names and addresses; use starttls or tls if the server has it"}
	}
	return nil
}

func (m *Mail) settle(dir string) {
	for _, path := range []*string{&m.CAFile, &m.PasswordFile, &m.Templates} {
		if *path != "" {
			*path = from(dir, *path)
		}
	}
}

func (m Mail) validate(f *faults) {
	f.oneOf("mail.tls", m.TLS, TLSStart, TLSFull, TLSNone)
	if _, err := language.Parse(m.Language); err != nil {
		f.add("mail.language", "%q is no language; write for instance en, de or fr-CA", m.Language)
	}
	if m.Rate < 0 {
		f.add("mail.rate", "%d is no number of mails a minute; write for instance 60, or 0 for no limit", m.Rate)
	}
	m.validateServer(f)
	m.validateLogin(f)
	if m.From != "" {
		f.mailbox("mail.from", m.From)
	} else if m.Enabled() {
		f.add("mail.from", "name the address that mail comes from, for instance Access Control <access@example.org>")
	}
	if m.ReplyTo != "" {
		f.mailbox("mail.reply-to", m.ReplyTo)
	}
	for i, c := range m.Contacts {
		f.bareAddress(fmt.Sprintf("mail.contacts[%d]", i), c)
	}
}

func (m Mail) validateServer(f *faults) {
	if !m.Enabled() {
		if m.Username != "" || m.From != "" || m.ReplyTo != "" || len(m.Contacts) > 0 || m.Templates != "" || m.PasswordFile != "" || m.CAFile != "" {
			f.add("mail.server", "name the mail server as host:port, for example smtp.example.org:587; without one no mail is sent, and the other settings under mail mean nothing")
		}
		return
	}
	f.address("mail.server", m.Server)
	host, port, err := net.SplitHostPort(m.Server)
	if err != nil {
		return
	}
	if host == "" || strings.ContainsAny(host, " /@") {
		f.add("mail.server", "%q has no host; write host:port, for example smtp.example.org:587", m.Server)
	}
	if port == "465" && m.TLS == TLSStart {
		f.add("mail.tls", "port 465 is encrypted from the first byte; write tls: tls, or use port 587")
	}
	if m.CAFile != "" && m.TLS == TLSNone {
		f.add("mail.ca-file", "only with tls: starttls or tls")
	}
}

func (m Mail) validateLogin(f *faults) {
	switch {
	case m.Username != "" && m.PasswordFile == "":
		f.add("mail.username", "name the file with the password: password-file")
	case m.Username == "" && m.PasswordFile != "":
		f.add("mail.password-file", "name the user: username")
	case m.Username != "" && m.TLS == TLSNone:
		f.add("mail.username", "not with tls: none, which would send the password unencrypted")
	}
}

// mailbox takes an address with or without a name before it.
func (f *faults) mailbox(path, got string) {
	a, err := mail.ParseAddress(got)
	if err != nil || strings.ContainsAny(a.Name, "\r\n") {
		f.add(path, "%q is no e-mail address; write access@example.org, or Access Control <access@example.org>", got)
	}
}

func (f *faults) bareAddress(path, got string) {
	if a, err := mail.ParseAddress(got); err != nil || a.Name != "" || a.Address != got {
		f.add(path, "%q is no e-mail address alone; write for instance it@example.org", got)
	}
}
