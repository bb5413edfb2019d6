package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorsync/configs"
	"doorsync/firmware-bridge/driver"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadWithSecrets(write(t, `
site: LYON
data: /srv/doorsync
center: {broker: "mqtt://central:1883", key-file: `+key+`}
enrollment-group: staff
user-ids: 5000-5999
journal: {retain: 30d}
readers:
  - {name: front, driver: zk, address: "192.168.1.20", password: "1234", deleted-at-reader: leave}
  - {name: gate, driver: uhppote, address: "192.168.1.30", serial: "405419896", doors: {1: [staff], 2: [staff, it]}, resync: 1h}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Center.Key != "s3cret" || c.Center.Username != "LYON" || c.Control != filepath.Join("/srv/doorsync", "control.sock") {
		t.Errorf("center user %q, control %q", c.Center.Username, c.Control)
	}
	if c.Journal.Retain != 30*24*time.Hour || !c.OwnIDs().Contains("5500") || c.OwnIDs().Contains("17") {
		t.Errorf("retain %v, user IDs %v", c.Journal.Retain, c.UserIDs)
	}
	front, gate := c.Readers[0], c.Readers[1]
	if front.DeletedAtReader != Leave || front.UnknownCards != Adopt || front.Resync != 15*time.Minute {
		t.Errorf("front: %s %s %v", front.DeletedAtReader, front.UnknownCards, front.Resync)
	}
	if gate.DeletedAtReader != Restore || gate.Resync != time.Hour || len(gate.DriverConfig().Doors[2]) != 2 {
		t.Errorf("gate: %s %v %v", gate.DeletedAtReader, gate.Resync, gate.Doors)
	}
}

func TestFaultsAllAtOnce(t *testing.T) {
	path := write(t, `site: "LY ON"
mode: sometimes
user-ids: 9-1
colour: red
center:
  broker: central
readers:
  - name: front
    driver: zk
    address: 192.168.1.20
    deleted-at-reader: forget
    show: "{name} {pin}"
  - name: front
    driver: zk
  - driver: uhppote
    address: 192.168.1.30
    doors: {5: [staff]}
    name: gate
`)
	_, err := Load(path, func(c driver.Config) error {
		if len(c.Doors) > 0 {
			return errors.Join(errors.New("serial is missing"), errors.New("door 5: a controller has doors 1 to 4"))
		}
		return nil
	})
	var faults *configs.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{
		`:1: site: site name "LY ON"`, `:2: mode: "sometimes"`, `:3: user-ids: "9-1"`, `:4: unknown key "colour"`,
		`:6: center.broker: "central" is no address`, `:11: readers[0].deleted-at-reader: "forget"`,
		`:12: readers[0].show: pin cannot be shown`,
		`two readers have the name "front"`, `readers[1]: the reader has no address`,
		`readers[2]: serial is missing`, `readers[2]: door 5`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no fault %q in:\n%v", want, err)
		}
	}
}
