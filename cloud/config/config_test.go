package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorsync/cloud/config"
	"doorsync/configs"
)

func load(t *testing.T, text string) (config.Config, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "central.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	return c, path, err
}

func TestLoad(t *testing.T) {
	c, path, err := load(t, "data: here\nsites:\n  - name: LYON\n    mode: groups\n    groups: [staff]\n    key-file: lyon.key\n")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	for what, pair := range map[string][2]string{
		"data":     {c.Data, filepath.Join(dir, "here")},
		"token":    {c.API.TokenFile, filepath.Join(dir, "here", "api.token")},
		"database": {c.Database(), filepath.Join(dir, "here", "roster.db")},
		"key file": {c.Sites[0].KeyFile, filepath.Join(dir, "lyon.key")},
		"broker":   {c.Broker.Listen, ":1883"},
		"api":      {c.API.Listen, "127.0.0.1:8480"},
		"mode":     {c.Mode, "all+readers"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
	if !c.Broker.Embedded() {
		t.Error("the broker is not embedded by default")
	}
}

func TestLoadReportsAllFaultsAtOnce(t *testing.T) {
	_, path, err := load(t, `data: ""
broker:
  listen: nowhere
  url: http://me:secret@broker
  root: /doors/#
api:
  listen: 127.0.0.1:99999
  tokenfile: x
mode: some
sites:
  - name: LYON
  - name: LYON
  - name: a/b
    mode: all
    groups: [staff]
log:
  level: loud
`)
	var faults *configs.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	got := strings.ReplaceAll(err.Error(), path, "")
	for _, want := range []string{
		":1: data:", ":3: broker.listen: set either", ":4: broker.url: no user or password", ":4: broker.url: write mqtt",
		":5: broker.root:", ":7: api.listen:", `:8: unknown key "tokenfile"`, ":9: mode:", ":12: sites[1].name: a second",
		":13: sites[2].name:", ":15: sites[2].groups:", ":17: log.level:",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "secret") {
		t.Errorf("the password is shown:\n%s", got)
	}
}

func TestPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("hunter 2\r\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := config.Broker{PasswordFile: file}.Password()
	if err != nil || got != "hunter 2" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := (config.Broker{}).Password(); got != "" || err != nil {
		t.Errorf("without a file: got %q, %v", got, err)
	}
	if _, err := (config.Broker{PasswordFile: filepath.Join(t.TempDir(), "none")}).Password(); err == nil {
		t.Error("a missing file is no error")
	}
}
