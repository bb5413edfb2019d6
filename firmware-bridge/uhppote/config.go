package uhppote

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorsync/firmware-bridge/driver"
	"doorsync/firmware-bridge/transport"
)

// What a controller is like if the configuration does not say.
const (
	DefaultPort    = 60000
	DefaultNetwork = "udp"
	DefaultTimeout = 2500 * time.Millisecond
)

// doors is how many doors a controller may have.
const doors = 4

// AnyGroup among a door's groups opens it for everybody.
const AnyGroup = "*"

// The options of this dialect.
const (
	optCardFormat   = "card-format"
	optPIN          = "pin"
	optListen       = "listen"
	optTimeZone     = "time-zone"
	optUnknownCards = "unknown-cards" // what becomes of cards nobody knows is decided above drivers
)

// settings are a configuration that was found good.
type settings struct {
	name    string
	network string
	address string
	serial  uint32
	timeout time.Duration
	doors   map[int][]string
	numbers numbers
	pin     bool
	listen  netip.AddrPort // invalid: live events are not asked for
	zone    *time.Location
	logger  *slog.Logger
	trace   func(dir string, b []byte)
}

// read checks a configuration and tells all faults at once.
func read(c driver.Config) (settings, error) {
	s := settings{
		name: c.Name, network: c.Network, timeout: c.Timeout, doors: c.Doors,
		numbers: byNumber{}, pin: true, zone: time.Local, logger: c.Logger, trace: c.Trace,
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	var err error
	if s.address, err = transport.WithPort(c.Address, DefaultPort); err != nil {
		fault("%w", err)
	}
	if s.network == "" {
		s.network = DefaultNetwork
	} else if s.network != "udp" && s.network != "tcp" {
		fault("network %q: write udp or tcp", c.Network)
	}
	if s.serial, err = serial(c.Serial); err != nil {
		fault("%w", err)
	}
	if s.timeout < 0 {
		fault("timeout %v: must not be negative", s.timeout)
	} else if s.timeout == 0 {
		s.timeout = DefaultTimeout
	}
	if c.Password != "" {
		fault("password: a controller of this kind has none; leave it out")
	}
	if c.Show != "" {
		fault("show: a controller of this kind holds no names, and shows nothing; leave it out")
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	faults = append(faults, checkDoors(c.Doors)...)
	faults = append(faults, s.options(c.Options)...)
	if len(faults) > 0 {
		return settings{}, fmt.Errorf("reader %s: %w", c.Name, errors.Join(faults...))
	}
	return s, nil
}

func serial(s string) (uint32, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("serial %q: write the controller's own number, as printed on it, e.g. 405419896", s)
	}
	return uint32(n), nil
}

func checkDoors(m map[int][]string) []error {
	if len(m) == 0 {
		return []error{errors.New(`doors: say which access groups each door opens for, e.g. doors: {1: [staff], 2: ["*"]}`)}
	}
	var faults []error
	for _, d := range sortedDoors(m) {
		if d < 1 || d > doors {
			faults = append(faults, fmt.Errorf("doors: a controller has doors 1 to %d, none numbered %d", doors, d))
		}
	}
	return faults
}

func (s *settings) options(m map[string]any) []error {
	var faults []error
	for _, k := range sortedKeys(m) {
		if err := s.option(k, m[k]); err != nil {
			faults = append(faults, err)
		}
	}
	return faults
}

func (s *settings) option(key string, value any) error {
	text, isText := value.(string)
	switch key {
	case optUnknownCards:
		return nil
	case optPIN:
		on, ok := value.(bool)
		if !ok {
			return fmt.Errorf("%s: write true or false", key)
		}
		s.pin = on
		return nil
	case optCardFormat:
		return s.setNumbers(text)
	case optListen:
		a, err := netip.ParseAddrPort(text)
		if err != nil || !isText || !a.Addr().Unmap().Is4() {
			return fmt.Errorf("%s: write the IPv4 address and UDP port of this machine, e.g. 192.168.1.5:60001", key)
		}
		s.listen = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		return nil
	case optTimeZone:
		zone, err := time.LoadLocation(text)
		if err != nil || text == "" {
			return fmt.Errorf("%s %q: write a zone such as Europe/Berlin", key, text)
		}
		s.zone = zone
		return nil
	default:
		return fmt.Errorf("option %q is unknown; known are %s, %s, %s, %s and %s",
			key, optCardFormat, optListen, optPIN, optTimeZone, optUnknownCards)
	}
}

func (s *settings) setNumbers(format string) error {
	switch format {
	case "number":
		s.numbers = byNumber{}
	case "facility":
		s.numbers = byFacility{}
	default:
		return fmt.Errorf(`%s %q: write "number", or "facility" where the controller shows cards as facility code and five digits`,
			optCardFormat, format)
	}
	return nil
}

func sortedKeys(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func sortedDoors(m map[int][]string) []int {
	out := make([]int, 0, len(m))
	for d := range m {
		out = append(out, d)
	}
	slices.Sort(out)
	return out
}
