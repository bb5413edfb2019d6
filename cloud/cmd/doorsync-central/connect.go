package main

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"os/user"
	"strings"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/config"
)

// place is where the center is, and what opens it.
type place struct {
	base, token, tokenFile string
}

// find finds the center and its token: flags first, then the environment, then
// the configuration file.
func (a *app) find() (place, error) {
	p := place{
		base: cmp.Or(a.api, a.getenv("DOORSYNC_API")), token: a.getenv("DOORSYNC_TOKEN"),
		tokenFile: cmp.Or(a.tokenFile, a.getenv("DOORSYNC_TOKEN_FILE")),
	}
	if p.base == "" || (p.token == "" && p.tokenFile == "") {
		c, err := config.Load(a.config)
		if errors.Is(err, fs.ErrNotExist) {
			return p, usagef("no configuration at %s; name it with --config, or the center with --api and --token-file", a.config)
		}
		if err != nil {
			return p, err
		}
		p.base = cmp.Or(p.base, "http://"+reachable(c.API.Listen))
		p.tokenFile = cmp.Or(p.tokenFile, c.API.TokenFile)
	}
	if !strings.Contains(p.base, "://") {
		p.base = "http://" + p.base
	}
	return p, nil
}

func (a *app) connect() (*client.Client, error) {
	p, err := a.find()
	if err != nil {
		return nil, err
	}
	if p.token == "" {
		if p.token, err = api.ReadToken(p.tokenFile); err != nil {
			return nil, tokenTrouble(err, p.tokenFile)
		}
	}
	return client.New(p.base, p.token, a.actor()), nil
}

// errNoToken: the file that should hold the token is not there.
var errNoToken = errors.New("there is no token")

func tokenTrouble(err error, file string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usagef("%w at %s; the center makes it at its first start, so start it first or name the file with --token-file", errNoToken, file)
	case errors.Is(err, fs.ErrPermission):
		return usagef("the token at %s is not yours to read; ask as its owner, for example with sudo", file)
	default:
		return err
	}
}

func (a *app) getenv(name string) string {
	v, _ := a.env(name)
	return v
}

// reachable turns an address to listen on into one to connect to.
func reachable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// actor is the person at the keyboard, for the event log.
func (a *app) actor() string {
	if name := a.getenv("SUDO_USER"); name != "" {
		return name
	}
	u, err := user.Current()
	if err != nil {
		return "" // the center then says "api"
	}
	return u.Username
}
