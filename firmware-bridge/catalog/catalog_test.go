package catalog_test

import (
	"strings"
	"testing"

	"doorsync/firmware-bridge/catalog"
	"doorsync/firmware-bridge/driver"
)

func TestEveryNameHasADriver(t *testing.T) {
	for _, name := range catalog.Names() {
		c := driver.Config{Name: "front", Driver: name, Address: "192.0.2.1"}
		if name == "uhppote" {
			c.Serial, c.Doors = "405419896", map[int][]string{1: {"staff"}}
		}
		d, err := catalog.New(c)
		if err != nil || d == nil {
			t.Errorf("%s: driver %v, error %v", name, d, err)
		}
	}
}

func TestUnknownDriverNamesTheKnown(t *testing.T) {
	_, err := catalog.New(driver.Config{Name: "front", Driver: "zkteko"})
	if err == nil {
		t.Fatal("no error for an unknown driver")
	}
	for _, want := range append(catalog.Names(), "front", "zkteko") {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestFaultIsNoDriver(t *testing.T) {
	for _, name := range catalog.Names() {
		if d, err := catalog.New(driver.Config{Name: "front", Driver: name}); err == nil || d != nil {
			t.Errorf("%s without an address: driver %v, error %v; want no driver and why", name, d, err)
		}
	}
}
