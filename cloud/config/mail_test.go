package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorsync/cloud/config"
)

func TestMailIsOffByDefault(t *testing.T) {
	c, _, err := load(t, "data: here\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Mail.Enabled() || len(c.Mail.Warnings()) > 0 {
		t.Errorf("mail is on without a server: %+v", c.Mail)
	}
	if p, err := c.Mail.Password(); p != "" || err != nil {
		t.Errorf("a password %q, %v without a file", p, err)
	}
}

func TestMailLoads(t *testing.T) {
	c, path, err := load(t, `mail:
  server: smtp.example.org:587
  username: access
  password-file: mail.password
  ca-file: ca.pem
  from: Access Control <access@example.org>
  reply-to: it@example.org
  contacts: [it@example.org, hr@example.org]
  language: de-AT
  templates: mail
  rate: 30
`)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	for what, pair := range map[string][2]string{
		"password file": {c.Mail.PasswordFile, filepath.Join(dir, "mail.password")},
		"CA file":       {c.Mail.CAFile, filepath.Join(dir, "ca.pem")},
		"templates":     {c.Mail.Templates, filepath.Join(dir, "mail")},
		"TLS":           {c.Mail.TLS, "starttls"},
		"language":      {c.Mail.Language, "de-AT"},
		"contacts":      {strings.Join(c.Mail.Contacts, " "), "it@example.org hr@example.org"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
	if !c.Mail.Enabled() || c.Mail.Rate != 30 {
		t.Errorf("got %+v", c.Mail)
	}
	if _, err := c.Mail.Password(); err == nil || !strings.Contains(err.Error(), "mail.password-file") {
		t.Errorf("a missing password file: %v", err)
	}
	if err := os.WriteFile(c.Mail.PasswordFile, []byte("open sesame\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := c.Mail.Password(); p != "open sesame" || err != nil {
		t.Errorf("got %q, %v", p, err)
	}
}

func TestMailFaults(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"settings without a server":  {"  from: a@example.org\n", ":2: mail.server: name the mail server"},
		"server without a port":      {"  server: smtp.example.org\n  from: a@example.org\n", ":2: mail.server:"},
		"server without a host":      {"  server: \":25\"\n  from: a@example.org\n", ":2: mail.server:"},
		"no sender":                  {"  server: s.example.org:587\n", "mail.from: name the address"},
		"sender is no address":       {"  server: s.example.org:587\n  from: access\n", ":3: mail.from:"},
		"unknown encryption":         {"  server: s.example.org:587\n  from: a@example.org\n  tls: ssl\n", ":4: mail.tls:"},
		"STARTTLS at the port 465":   {"  server: s.example.org:465\n  from: a@example.org\n", "mail.tls: port 465"},
		"user without a password":    {"  server: s.example.org:587\n  from: a@example.org\n  username: u\n", ":4: mail.username:"},
		"password without a user":    {"  server: s.example.org:587\n  from: a@example.org\n  password-file: p\n", ":4: mail.password-file:"},
		"login unencrypted":          {"  server: s.example.org:25\n  from: a@example.org\n  tls: none\n  username: u\n  password-file: p\n", ":5: mail.username: not with tls: none"},
		"authorities unencrypted":    {"  server: s.example.org:25\n  from: a@example.org\n  tls: none\n  ca-file: p\n", ":5: mail.ca-file:"},
		"contact with a name":        {"  server: s.example.org:587\n  from: a@example.org\n  contacts: [\"IT <it@example.org>\"]\n", ":4: mail.contacts[0]:"},
		"contact with a line break":  {"  server: s.example.org:587\n  from: a@example.org\n  contacts: [\"it@example.org\\r\\nBcc: x@example.org\"]\n", ":4: mail.contacts[0]:"},
		"sender with a line break":   {"  server: s.example.org:587\n  from: \"a@example.org\\nBcc: x@example.org\"\n", ":3: mail.from:"},
		"reply-to is no address":     {"  server: s.example.org:587\n  from: a@example.org\n  reply-to: it\n", ":4: mail.reply-to:"},
		"language is none":           {"  server: s.example.org:587\n  from: a@example.org\n  language: German\n", ":4: mail.language:"},
		"negative rate":              {"  server: s.example.org:587\n  from: a@example.org\n  rate: -1\n", ":4: mail.rate:"},
		"password in the file":       {"  server: s.example.org:587\n  from: a@example.org\n  password: hunter2\n", ":4: unknown key \"password\""},
		"several at once, in a line": {"  server: nowhere\n  tls: no\n", ":3: mail.tls:"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			_, _, err := load(t, "mail:\n"+c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("no %q in: %v", c.want, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the password is shown: %v", err)
			}
		})
	}
}

func TestMailWithoutEncryptionIsWarnedOf(t *testing.T) {
	c, _, err := load(t, "mail:\n  server: localhost:25\n  tls: none\n  from: a@example.org\n")
	if err != nil {
		t.Fatal(err)
	}
	if w := (config.Mail{}).Warnings(); len(w) != 0 {
		t.Errorf("warned of mail that is off: %v", w)
	}
	if w := c.Mail.Warnings(); len(w) != 1 || !strings.Contains(w[0], "mail.tls is none") {
		t.Errorf("got %v", w)
	}
}
