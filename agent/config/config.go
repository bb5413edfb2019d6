// Package config is the agent's configuration: what may stand in agent.yaml,
// the defaults, and what is wrong with it. It opens nothing but the file.
package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"doorsync/configs"
	"doorsync/firmware-bridge/driver"
)

// Config is agent.yaml. It is also what the agent runs with: there is no second
// structure for options.
type Config struct {
	Site            string        `yaml:"site"`
	Data            string        `yaml:"data"`             // directory of the journal
	Center          Center        `yaml:"center"`           // none: the site works alone
	Mode            string        `yaml:"mode"`             // sync mode; "": as the center says
	EnrollmentGroup string        `yaml:"enrollment-group"` // given to whoever enrolls at this site
	UserIDs         string        `yaml:"user-ids"`         // 5000-5999: for this site's own enrollments
	Journal         Journal       `yaml:"journal"`
	Control         string        `yaml:"control"` // path of the control socket
	Log             Log           `yaml:"log"`
	FirstRoster     time.Duration `yaml:"first-roster"` // how long a new site waits for the center's users before it takes unknown ones
	Readers         []Reader      `yaml:"readers"`
}

// Center is how the site reaches the center.
type Center struct {
	Broker   string `yaml:"broker"`   // mqtt://host:1883
	Username string `yaml:"username"` // default: the site
	Key      string `yaml:"key"`
	KeyFile  string `yaml:"key-file"`
	Root     string `yaml:"root"` // of the topics
}

// Configured reports whether the site has a center at all.
func (c Center) Configured() bool { return c.Broker != "" }

// Journal is what is kept and how long.
type Journal struct {
	Retain time.Duration `yaml:"retain"` // confirmed entries older than this are removed, 0: never
}

// Log is how much the agent says.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text, json
}

// Reader is one reader and how it is treated.
type Reader struct {
	Name            string           `yaml:"name"`
	Driver          string           `yaml:"driver"`
	Address         string           `yaml:"address"`
	Network         string           `yaml:"network"`
	Password        string           `yaml:"password"`
	PasswordFile    string           `yaml:"password-file"`
	Serial          string           `yaml:"serial"`
	Timeout         time.Duration    `yaml:"timeout"`
	Groups          []string         `yaml:"groups"` // access groups that open a door here
	Doors           map[int][]string `yaml:"doors"`
	DeletedAtReader string           `yaml:"deleted-at-reader"` // restore or leave
	UnknownCards    string           `yaml:"unknown-cards"`     // adopt or leave
	Resync          time.Duration    `yaml:"resync"`            // how often the whole table is compared
	Poll            time.Duration    `yaml:"poll"`              // how often the reader is asked whether it is there and what its log says
	Show            string           `yaml:"show"`              // in place of the name, like "{name} {custom:plate}"
	Options         map[string]any   `yaml:"options"`
}

// What to do with users deleted at a reader and with cards nobody knows.
const (
	Restore = "restore"
	Leave   = "leave"
	Adopt   = "adopt"
)

// Default is what holds where the file says nothing.
func Default() Config {
	c := Config{
		Data:        "/var/lib/doorsync/agent",
		Journal:     Journal{Retain: 90 * 24 * time.Hour},
		Log:         Log{Level: "info"},
		FirstRoster: 10 * time.Second,
	}
	if runtime.GOOS == "windows" {
		c.Data = filepath.Join(programData(), "doorsync", "agent")
	}
	return c
}

// DefaultPath is where the configuration stands unless --config says otherwise.
func DefaultPath() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(programData(), "doorsync", "agent.yaml")
	}
	return "/etc/doorsync/agent.yaml"
}

func programData() string { return cmp.Or(os.Getenv("ProgramData"), `C:\ProgramData`) }

// Load reads the file and reports everything that is wrong with it at once.
// Paths are taken from the file's own directory. try asks a dialect whether it
// can work with a reader's section, without connecting; it may be nil.
func Load(path string, try func(driver.Config) error) (Config, error) {
	return load(path, try, false)
}

// LoadWithSecrets also takes keys and passwords out of the files that hold
// them, which is for the running agent, and for whoever checks whether it will
// run.
func LoadWithSecrets(path string, try func(driver.Config) error) (Config, error) {
	return load(path, try, true)
}

func load(path string, try func(driver.Config) error, secrets bool) (Config, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	c := Default()
	err = configs.Load(path, &c, func() []configs.Fault {
		c.fill(dir)
		list := c.faults(try)
		if secrets {
			list = append(list, c.readSecrets(try)...)
		}
		return list
	})
	if err != nil {
		return Config{}, err
	}
	return c, nil
}

// fill sets what depends on other keys, and on where the file is.
func (c *Config) fill(dir string) {
	c.Data, c.Control, c.Center.KeyFile = from(dir, c.Data), from(dir, c.Control), from(dir, c.Center.KeyFile)
	if c.Control == "" && c.Data != "" {
		c.Control = filepath.Join(c.Data, "control.sock")
	}
	c.Center.Username = cmp.Or(c.Center.Username, c.Site)
	for i := range c.Readers {
		r := &c.Readers[i]
		r.PasswordFile = from(dir, r.PasswordFile)
		r.DeletedAtReader = cmp.Or(r.DeletedAtReader, Restore)
		r.UnknownCards = cmp.Or(r.UnknownCards, Adopt)
		if r.Resync == 0 {
			r.Resync = 15 * time.Minute
		}
		if r.Poll == 0 {
			r.Poll = 5 * time.Second
		}
	}
}

// from takes a path from a directory, unless it is whole, or none.
func from(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// OwnIDs is the range that user-ids names.
func (c Config) OwnIDs() Range {
	r, err := ParseRange(c.UserIDs)
	if err != nil {
		return Range{} // Load has refused it
	}
	return r
}

// Path is the file of the journal.
func (c Config) Path() string { return filepath.Join(c.Data, "journal.db") }

// DriverConfig is the part of a reader's section that the dialect needs.
func (r Reader) DriverConfig() driver.Config {
	return driver.Config{
		Name: r.Name, Driver: r.Driver, Address: r.Address, Network: r.Network,
		Password: r.Password, Serial: r.Serial, Timeout: r.Timeout, Doors: r.Doors, Show: r.Show, Options: r.Options,
	}
}

// SecretFiles are the files that hold keys and passwords.
func (c Config) SecretFiles() []string {
	var out []string
	if c.Center.KeyFile != "" {
		out = append(out, c.Center.KeyFile)
	}
	for _, r := range c.Readers {
		if r.PasswordFile != "" {
			out = append(out, r.PasswordFile)
		}
	}
	return out
}
