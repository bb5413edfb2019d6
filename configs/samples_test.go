package configs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	agent "doorsync/agent/config"
	central "doorsync/cloud/config"
	"doorsync/configs"
	"doorsync/firmware-bridge/driver"
)

// TestSampleAgent loads the sample as the program does; only the file of the
// site's key does not exist here.
func TestSampleAgent(t *testing.T) {
	var drivers []string
	c := agent.Default()
	_, err := agent.Load(withoutFiles(t, "agent.yaml"), func(d driver.Config) error {
		drivers = append(drivers, d.Driver)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(drivers) != 2 {
		t.Errorf("drivers %v", drivers)
	}
	if err := configs.Load("agent.yaml", &c, nil); err != nil || c.Data != agent.Default().Data {
		t.Errorf("got %v, data %s: the sample shows another default than the program has", err, c.Data)
	}
}

func TestSampleCentral(t *testing.T) {
	c, err := central.Load("central.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Broker.Embedded() {
		t.Errorf("got %+v", c)
	}
}

// TestSampleCentralMail takes the comment signs off the section on mail, as
// somebody does who turns it on.
func TestSampleCentralMail(t *testing.T) {
	b, err := os.ReadFile("central.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(b), "\n#mail:\n")
	if !found {
		t.Fatal("the sample does not show mail")
	}
	path := filepath.Join(t.TempDir(), "central.yaml")
	text := "mail:\n" + strings.TrimPrefix(strings.ReplaceAll("\n"+section, "\n#", "\n"), "\n")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := central.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Mail.Enabled() || c.Mail.TLS != central.Default().Mail.TLS || c.Mail.Rate != central.Default().Mail.Rate || len(c.Mail.Contacts) != 1 {
		t.Errorf("got %+v", c.Mail)
	}
}

// withoutFiles copies a sample with a key that exists.
func withoutFiles(t *testing.T, sample string) string {
	t.Helper()
	b, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "site.key"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, sample)
	text := []byte(strings.ReplaceAll(string(b), "/etc/doorsync/site.key", filepath.ToSlash(filepath.Join(dir, "site.key"))))
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}
