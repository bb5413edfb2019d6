package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorsync/configs"
	"doorsync/protocol/wire"
)

// Modes are the sync modes, in the order in which people are shown them.
func Modes() []string {
	return []string{wire.ModeOff, wire.ModeAll, wire.ModeAllReaders, wire.ModeGroups}
}

// Validate returns everything that is wrong, and touches nothing.
func (c Config) Validate() []configs.Fault {
	var f faults
	if strings.TrimSpace(c.Data) == "" {
		f.add("data", "name the directory for the database")
	}
	c.Broker.validate(&f)
	f.address("api.listen", c.API.Listen)
	f.oneOf("mode", c.Mode, Modes()...)
	f.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	f.oneOf("log.format", c.Log.Format, "text", "json")
	validateSites(&f, c.Sites)
	c.Mail.validate(&f)
	return f
}

func (b Broker) validate(f *faults) {
	if b.URL != "" && b.Listen != "" {
		f.add("broker.listen", "set either listen (the broker inside this program) or url (a broker of yours), not both")
	}
	if b.URL != "" {
		f.brokerURL("broker.url", b.URL)
	} else if b.Listen != "" {
		f.address("broker.listen", b.Listen)
	}
	if b.URL == "" && b.Username != "" {
		f.add("broker.username", "only with url: the broker inside this program knows the center already")
	}
	if b.URL == "" && b.PasswordFile != "" {
		f.add("broker.password-file", "only with url: the broker inside this program knows the center already")
	}
	if b.Root == "" || strings.ContainsAny(b.Root, "+# ") || strings.HasPrefix(b.Root, "/") || strings.HasSuffix(b.Root, "/") {
		f.add("broker.root", "%q is no root of topics; write something like %s", b.Root, wire.DefaultRoot)
	}
}

func validateSites(f *faults, sites []Site) {
	for i, s := range sites {
		at := fmt.Sprintf("sites[%d]", i)
		if err := wire.ValidSite(s.Name); err != nil {
			f.add(at+".name", "%v", err)
		}
		if j := slices.IndexFunc(sites, func(o Site) bool { return o.Name == s.Name }); j < i && s.Name != "" {
			f.add(at+".name", "a second site of the name %q", s.Name)
		}
		if s.Mode != "" {
			f.oneOf(at+".mode", s.Mode, Modes()...)
		}
		if len(s.Groups) > 0 && s.Mode != wire.ModeGroups && s.Mode != "" {
			f.add(at+".groups", "only with mode: groups")
		}
	}
}

type faults []configs.Fault

func (f *faults) add(path, text string, args ...any) {
	*f = append(*f, configs.Fault{Path: path, Text: path + ": " + fmt.Sprintf(text, args...)})
}

func (f *faults) oneOf(path, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		f.add(path, "%q is not known; write one of %s", got, strings.Join(allowed, ", "))
	}
}

func (f *faults) address(path, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		f.add(path, "%q is no address; write host:port, for example 127.0.0.1:8480", addr)
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n > 65535 {
		f.add(path, "%q is no port; ports are 1 to 65535", port)
	}
}

func (f *faults) brokerURL(path, raw string) {
	u, err := url.Parse(raw)
	if err != nil {
		f.add(path, "no URL; write mqtt://host:1883")
		return
	}
	if u.User != nil {
		f.add(path, "no user or password in the URL; use username and password-file")
	}
	if !slices.Contains([]string{"mqtt", "mqtts", "tcp", "ssl", "tls"}, u.Scheme) || u.Host == "" {
		f.add(path, "write mqtt://host:1883, or mqtts://host:8883 for TLS")
	}
}

func trimNewline(s string) string {
	first, _, _ := strings.Cut(s, "\n")
	return strings.TrimRight(first, "\r")
}
