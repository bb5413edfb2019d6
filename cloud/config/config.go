// Package config is the configuration of doorsync-central: one YAML file, read
// strictly. Reading it connects to nothing.
package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"doorsync/configs"
	"doorsync/protocol/wire"
)

// Config is everything that can be set.
type Config struct {
	// Data is the directory of the roster's database and what belongs to it.
	Data   string `yaml:"data"`
	Broker Broker `yaml:"broker"`
	API    API    `yaml:"api"`
	// Mode is the sync mode of sites that have none of their own.
	Mode  string `yaml:"mode"`
	Sites []Site `yaml:"sites"`
	Mail  Mail   `yaml:"mail"`
	Log   Log    `yaml:"log"`
}

// Broker is the MQTT broker between the center and the sites: one inside this
// program (Listen), or one of yours (URL).
type Broker struct {
	Listen       string `yaml:"listen"`
	URL          string `yaml:"url"`
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password-file"`
	// Root is where all topics hang.
	Root string `yaml:"root"`
}

// Embedded reports whether the broker runs inside this program.
func (b Broker) Embedded() bool { return b.URL == "" }

// Password reads the password file; "" without one.
func (b Broker) Password() (string, error) {
	if b.PasswordFile == "" {
		return "", nil
	}
	return readSecret("broker.password-file", b.PasswordFile)
}

// API is where people and programs reach the center over HTTP.
type API struct {
	Listen string `yaml:"listen"`
	// TokenFile holds the bearer token; it is made at the first start.
	TokenFile string `yaml:"token-file"`
}

// Site is a site that is made known at start, if it is not already. What is
// changed later by people stays changed.
type Site struct {
	Name   string   `yaml:"name"`
	Mode   string   `yaml:"mode"`
	Groups []string `yaml:"groups"`
	// KeyFile receives the key of a site that is new.
	KeyFile string `yaml:"key-file"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Default is the configuration of an empty file.
func Default() Config {
	return Config{
		Data:   defaultData(),
		Broker: Broker{Root: wire.DefaultRoot},
		API:    API{Listen: "127.0.0.1:8480"},
		Mode:   wire.ModeAllReaders,
		Mail:   defaultMail(),
		Log:    Log{Level: "info", Format: "text"},
	}
}

// DefaultPath is where the configuration file is looked for.
func DefaultPath() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(programData(), "doorsync", "central.yaml")
	}
	return "/etc/doorsync/central.yaml"
}

func defaultData() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(programData(), "doorsync", "central")
	}
	return "/var/lib/doorsync/central"
}

func programData() string {
	if dir := os.Getenv("ProgramData"); dir != "" {
		return dir
	}
	return `C:\ProgramData`
}

// Load reads the file strictly. Every fault in it is reported at once, with
// its line.
func Load(path string) (Config, error) {
	c := Default()
	if err := configs.Load(path, &c, func() []configs.Fault { return c.Validate() }); err != nil {
		return Config{}, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	c.settle(dir)
	return c, nil
}

// settle fills in what follows from other settings: paths are taken from the
// file's own directory, the broker listens unless there is another.
func (c *Config) settle(dir string) {
	if c.Broker.URL == "" && c.Broker.Listen == "" {
		c.Broker.Listen = ":1883"
	}
	c.Data = from(dir, c.Data)
	if c.API.TokenFile == "" {
		c.API.TokenFile = filepath.Join(c.Data, "api.token")
	}
	c.API.TokenFile = from(dir, c.API.TokenFile)
	if c.Broker.PasswordFile != "" {
		c.Broker.PasswordFile = from(dir, c.Broker.PasswordFile)
	}
	c.Mail.settle(dir)
	for i := range c.Sites {
		if c.Sites[i].KeyFile != "" {
			c.Sites[i].KeyFile = from(dir, c.Sites[i].KeyFile)
		}
	}
}

func from(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// Database is the path of the roster's database.
func (c Config) Database() string { return filepath.Join(c.Data, "roster.db") }

func readSecret(key, path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", key, err)
	}
	secret := trimNewline(string(b))
	if secret == "" {
		return "", fmt.Errorf("read %s: %s is empty; write the secret into its first line", key, path)
	}
	return secret, nil
}
