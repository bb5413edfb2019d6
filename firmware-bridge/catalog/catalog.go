// Package catalog is the one list of dialects: the name that stands in the
// configuration, and the driver that it means.
package catalog

import (
	"fmt"
	"strings"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/uhppote"
	"doorsync/firmware-bridge/zk"
)

// Names are the drivers that a configuration may name, sorted.
func Names() []string { return []string{"uhppote", "zk"} }

// New makes the driver that the configuration names. It checks the
// configuration and connects to nothing.
func New(c driver.Config) (driver.Driver, error) {
	switch c.Driver {
	case "uhppote":
		d, err := uhppote.New(c)
		if err != nil {
			return nil, err
		}
		return d, nil
	case "zk":
		return zk.New(c)
	default:
		return nil, fmt.Errorf("reader %s: driver %q is unknown; known are %s", c.Name, c.Driver, strings.Join(Names(), ", "))
	}
}
