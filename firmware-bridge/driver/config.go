package driver

import (
	"log/slog"
	"time"
)

// Config is one reader as the configuration describes it. The dialect checks
// what concerns it and says what is wrong in words for the installer.
type Config struct {
	Name     string           // the reader's name at this site
	Driver   string           // the dialect: zk, uhppote
	Address  string           // host:port; the dialect's own port if none is given
	Network  string           // "tcp" or "udp"; "" is the dialect's default
	Password string           // communication key, never printed
	Serial   string           // the reader's own number, where the dialect needs it
	Timeout  time.Duration    // for one answer, 0: the dialect's default
	Doors    map[int][]string // door -> access groups that it opens for
	Show     string           // a Template of what stands for a name; a dialect without names refuses it
	Options  map[string]any   // anything else, checked by the dialect, unknown keys refused
	Logger   *slog.Logger     // may be nil
	Trace    func(dir string, b []byte)
}
