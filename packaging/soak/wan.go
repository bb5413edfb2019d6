package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// How a line can be ill.
const (
	down    = "link down" // the site sees that its link is gone
	silent  = "silent"    // packets vanish, both ways
	deafen  = "deaf"      // packets to the site vanish
	mute    = "mute"      // packets from the site vanish
	crawl   = "slow"      // late and lossy where there is netem, else narrow
	netem   = "netem delay 120ms 60ms loss 8%"
	narrow  = "tbf rate 96kbit burst 4kb latency 300ms"
	router  = "wan"       // the namespace between
	office  = "10.77.0.1" // the center's address on the WAN
	gateway = "254"
)

// wan is the network between the center and the sites. The center is in the
// soak's own namespace; each site has one; all are joined by a router, which is
// where lines are cut, so that neither end is told.
type wan struct {
	sites []string
	slow  string // what crawl is on this kernel
}

// newWAN makes the namespaces and joins them.
func newWAN(ctx context.Context, sites []string) (*wan, error) {
	w := &wan{sites: sites}
	commands := []string{
		"mount --make-rprivate /",
		"mount -t proc proc /proc",
		"mkdir -p /run/netns",
		"mount -t tmpfs tmpfs /run/netns", // names of namespaces are seen in here only
		"ip link set lo up",
		"ip netns add " + router,
		"ip link add to-wan type veth peer name office netns " + router,
		"ip addr add " + office + "/24 dev to-wan",
		"ip link set to-wan up",
		"ip -n wan addr add 10.77.0." + gateway + "/24 dev office",
		"ip -n wan link set office up",
		"ip route add default via 10.77.0." + gateway,
	}
	for i, site := range sites {
		net := fmt.Sprintf("10.77.%d.", i+1)
		commands = append(commands,
			"ip netns add "+site,
			"ip -n "+site+" link set lo up",
			"ip -n wan link add "+site+" type veth peer name to-wan netns "+site,
			"ip -n wan addr add "+net+gateway+"/24 dev "+site,
			"ip -n wan link set "+site+" up",
			"ip -n "+site+" addr add "+net+"1/24 dev to-wan",
			"ip -n "+site+" link set to-wan up",
			"ip -n "+site+" route add default via "+net+gateway)
	}
	for _, c := range commands {
		if err := run(ctx, strings.Fields(c)...); err != nil {
			return nil, fmt.Errorf("make the WAN: %w", err)
		}
	}
	if err := run(ctx, "ip", "netns", "exec", router, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"); err != nil {
		return nil, fmt.Errorf("make the WAN: %w", err)
	}
	return w, w.probe(ctx)
}

// probe finds out how this kernel can make a line slow.
func (w *wan) probe(ctx context.Context) error {
	var err error
	for _, kind := range []string{netem, narrow} {
		if err = w.discipline(ctx, "add", w.sites[0], kind); err == nil {
			w.slow = kind
			return w.discipline(ctx, "del", w.sites[0], "")
		}
	}
	return fmt.Errorf("make a line slow: %w: the kernel needs sch_netem or sch_tbf", err)
}

func (w *wan) discipline(ctx context.Context, verb, site, kind string) error {
	args := append([]string{"ip", "netns", "exec", router, "tc", "qdisc", verb, "dev", site, "root"}, strings.Fields(kind)...)
	return run(ctx, args...)
}

// kinds are the ways in which a line can be ill.
func kinds() []string { return []string{down, silent, deafen, mute, crawl} }

// harm makes a site's line ill, heal makes it well.
func (w *wan) harm(ctx context.Context, site, kind string) error {
	return w.turn(ctx, site, kind, "add")
}

func (w *wan) heal(ctx context.Context, site, kind string) error {
	return w.turn(ctx, site, kind, "del")
}

func (w *wan) turn(ctx context.Context, site, kind, verb string) error {
	address := w.address(site)
	hole := []string{"ip", "-n", router, "route", verb, "blackhole", address + "/32"}
	rule := []string{"ip", "-n", router, "rule", verb, "from", address, "blackhole"}
	switch kind {
	case down:
		return run(ctx, "ip", "-n", router, "link", "set", site, map[string]string{"add": "down", "del": "up"}[verb])
	case deafen:
		return run(ctx, hole...)
	case mute:
		return run(ctx, rule...)
	case silent:
		if err := run(ctx, hole...); err != nil {
			return err
		}
		return run(ctx, rule...)
	default:
		return w.discipline(ctx, verb, site, map[string]string{"add": w.slow}[verb])
	}
}

func (w *wan) address(site string) string {
	for i, s := range w.sites {
		if s == site {
			return fmt.Sprintf("10.77.%d.1", i+1)
		}
	}
	return ""
}

// into is a script that starts a program in a site's namespace; the program
// takes the script's place, so that it can be killed and watched.
func into(site, program, dir string) (path, text string) {
	path = filepath.Join(dir, filepath.Base(program)+"-"+site)
	return path, "#!/bin/sh\nexec ip netns exec " + site + " " + program + " \"$@\"\n"
}

func run(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput() //nolint:gosec // the commands stand in this package
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
