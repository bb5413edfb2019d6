package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorsync/configs"
	"doorsync/firmware-bridge/driver"
	"doorsync/protocol/wire"
)

// check collects faults.
type check struct{ list []configs.Fault }

func (k *check) fault(path, format string, args ...any) {
	k.list = append(k.list, configs.Fault{Path: path, Text: fmt.Sprintf(format, args...)})
}

// oneOf refuses a word that is none of those allowed.
func (k *check) oneOf(path, word string, allowed ...string) {
	if word != "" && !slices.Contains(allowed, word) {
		k.fault(path, "%s: %q is none of %s", path, word, strings.Join(allowed, ", "))
	}
}

// faults is everything that is wrong, as far as it can be told without opening
// anything.
func (c *Config) faults(try func(driver.Config) error) []configs.Fault {
	var k check
	if err := wire.ValidSite(c.Site); err != nil {
		k.fault("site", "site: %v", err)
	}
	if c.Data == "" {
		k.fault("data", "data: name the directory of the journal")
	}
	k.oneOf("mode", c.Mode, wire.ModeOff, wire.ModeAll, wire.ModeAllReaders, wire.ModeGroups)
	if _, err := ParseRange(c.UserIDs); err != nil {
		k.fault("user-ids", "user-ids: %v", err)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		k.fault("log.level", "log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
	k.oneOf("log.format", c.Log.Format, "text", "json")
	if c.Control != "" && len(c.Control) > 100 {
		k.fault("control", "control: a socket's path may have 100 characters, this has %d: set a shorter one", len(c.Control))
	}
	c.checkCenter(&k)
	c.checkReaders(&k, try)
	return k.list
}

func (c *Config) checkCenter(k *check) {
	m := c.Center
	if !m.Configured() {
		if m.Key != "" || m.KeyFile != "" {
			k.fault("center", "center.broker is missing: write for instance mqtt://central.example.com:1883")
		}
		return
	}
	u, err := url.Parse(m.Broker)
	switch {
	case err != nil || u.Host == "":
		k.fault("center.broker", "center.broker: %q is no address; write for instance mqtt://central.example.com:1883", m.Broker)
	case !slices.Contains([]string{"mqtt", "tcp", "mqtts", "ssl", "tls", "ws", "wss"}, u.Scheme):
		k.fault("center.broker", "center.broker: unknown scheme %q; write mqtt://host:1883, or mqtts://host:8883 for TLS", u.Scheme)
	case u.User != nil:
		k.fault("center.broker", "center.broker: name and key do not belong into the address; use center.username and center.key-file")
	}
	if m.Key != "" && m.KeyFile != "" {
		k.fault("center.key", "center.key and center.key-file are both set: keep one")
	}
}

func (c *Config) checkReaders(k *check, try func(driver.Config) error) {
	names, addresses := map[string]int{}, map[string]int{}
	for i, r := range c.Readers {
		at := fmt.Sprintf("readers[%d]", i)
		k.reader(at, r)
		if first, twice := names[r.Name]; twice && r.Name != "" {
			k.fault(at+".name", "two readers have the name %q: readers[%d] has it already", r.Name, first)
		} else {
			names[r.Name] = i
		}
		address := r.Network + "|" + r.Address + "|" + r.Serial
		if first, twice := addresses[address]; twice && r.Address != "" {
			k.fault(at+".address", "two readers have the address %s: readers[%d] has it already", r.Address, first)
		} else {
			addresses[address] = i
		}
		if try != nil && r.Driver != "" {
			k.dialect(at, try(r.standIn()))
		}
	}
}

// standIn is the section for the dialect to look at, with a name and an address
// where they are missing: that they are is reported already, and the rest of the
// section may be wrong, too.
func (r Reader) standIn() driver.Config {
	c := r.DriverConfig()
	c.Name, c.Address = cmp.Or(c.Name, "reader"), cmp.Or(c.Address, "192.0.2.1")
	return c
}

func (k *check) reader(at string, r Reader) {
	if r.Name == "" {
		k.fault(at+".name", "%s: the reader has no name", at)
	} else if strings.ContainsAny(r.Name, " \t\n/,") || len(r.Name) > 64 {
		k.fault(at+".name", "%s.name: %q: at most 64 characters, without blanks, commas and slashes", at, r.Name)
	}
	if r.Driver == "" {
		k.fault(at+".driver", "%s: the reader has no driver", at)
	}
	if r.Address == "" {
		k.fault(at+".address", "%s: the reader has no address; write for instance 192.168.1.20", at)
	}
	k.oneOf(at+".network", r.Network, "tcp", "udp")
	k.oneOf(at+".deleted-at-reader", r.DeletedAtReader, Restore, Leave)
	k.oneOf(at+".unknown-cards", r.UnknownCards, Adopt, Leave)
	if r.Password != "" && r.PasswordFile != "" {
		k.fault(at+".password", "%s: password and password-file are both set: keep one", at)
	}
	if r.Show != "" {
		if _, err := driver.ParseTemplate(r.Show); err != nil {
			k.fault(at+".show", "%s.show: %v", at, err)
		}
	}
	if r.Resync < time.Second {
		k.fault(at+".resync", "%s.resync: must be at least 1s", at)
	}
	if r.Poll < 100*time.Millisecond {
		k.fault(at+".poll", "%s.poll: must be at least 100ms", at)
	}
}

// dialect reports what a driver has against a reader's section, one fault for
// each error joined in it.
func (k *check) dialect(at string, err error) {
	if err == nil {
		return
	}
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		for _, e := range joined.Unwrap() {
			k.dialect(at, e)
		}
		return
	}
	k.fault(at, "%s: %v", at, err)
}
