package cloud_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorsync/cloud"
	"doorsync/cloud/config"
)

func TestCheckReadsTheFilesOfMail(t *testing.T) {
	dir := t.TempDir()
	template := filepath.Join(dir, "invite.en.txt")
	if err := os.WriteFile(template, []byte("Subject: x\n\n{{.Nobody}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	authorities := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(authorities, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Mail.Templates, cfg.Mail.CAFile, cfg.Mail.PasswordFile = dir, authorities, filepath.Join(dir, "missing")
	if err := cloud.Check(cfg); err != nil {
		t.Errorf("while mail is off: %v", err)
	}
	cfg.Mail.Server = "smtp.example.org:587"
	err := cloud.Check(cfg)
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, want := range []string{template + ":3: ", authorities + " holds no certificate", "mail.password-file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	cfg.Mail.Templates, cfg.Mail.CAFile, cfg.Mail.PasswordFile = "", "", ""
	if err := cloud.Check(cfg); err != nil {
		t.Errorf("with the program's own templates: %v", err)
	}
}
