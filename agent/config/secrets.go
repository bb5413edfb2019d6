package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"doorsync/configs"
	"doorsync/firmware-bridge/driver"
)

// readSecrets takes keys and passwords out of the files that hold them, and
// says which it cannot use. try is asked again about readers whose password has
// only now become known.
func (c *Config) readSecrets(try func(driver.Config) error) []configs.Fault {
	var k check
	if c.Center.KeyFile != "" && c.Center.Key == "" {
		c.Center.Key = k.secret("center.key-file", c.Center.KeyFile, `write the key that "sites add" printed at the center into it`)
	}
	for i := range c.Readers {
		r, at := &c.Readers[i], fmt.Sprintf("readers[%d]", i)
		if r.PasswordFile == "" || r.Password != "" {
			continue
		}
		r.Password = k.secret(at+".password-file", r.PasswordFile, "write the reader's password into it")
		if try != nil && r.Password != "" && r.Driver != "" {
			k.dialect(at, try(r.standIn()))
		}
	}
	return k.list
}

// secret is what a file holds; it is a fault if it holds nothing.
func (k *check) secret(path, file, hint string) string {
	b, err := os.ReadFile(file)
	value := strings.TrimSpace(string(b))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.fault(path, "%s: there is no %s: %s", path, file, hint)
	case err != nil:
		k.fault(path, "%s: %v", path, err)
	case value == "":
		k.fault(path, "%s: %s is empty: %s", path, file, hint)
	}
	return value
}
