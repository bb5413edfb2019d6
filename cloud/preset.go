package cloud

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"doorsync/cloud/config"
	"doorsync/cloud/roster"
)

// presetSites makes the sites of the configuration known. One that is known
// already keeps what people have set.
func (c *center) presetSites(ctx context.Context) error {
	for _, s := range c.cfg.Sites {
		if c.roster.HasSite(s.Name) {
			continue
		}
		if err := c.presetSite(ctx, s); err != nil {
			return fmt.Errorf("add site %s of the configuration: %w", s.Name, err)
		}
	}
	return nil
}

// presetSite has the key file in place before the site is added: a key that
// could not be written down would be lost.
func (c *center) presetSite(ctx context.Context, s config.Site) error {
	var set roster.SiteSettings
	if s.Mode != "" {
		set.Mode = &s.Mode
	}
	if s.Groups != nil {
		set.Groups = &s.Groups
	}
	by := roster.Actor{Name: "configuration"}
	if s.KeyFile == "" {
		c.log.Warn("site added without a key file; \"sites key\" makes and prints its key", "site", s.Name)
		_, err := c.roster.AddSite(ctx, by, s.Name, set)
		return err
	}
	f, err := newKeyFile(s.KeyFile)
	if err != nil {
		return err
	}
	key, err := c.roster.AddSite(ctx, by, s.Name, set)
	if err == nil {
		_, err = f.WriteString(key + "\n")
		err = errors.Join(err, f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(s.KeyFile))
	}
	c.log.Info("site added", "site", s.Name, "key-file", s.KeyFile)
	return nil
}

func newKeyFile(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		return nil, fmt.Errorf("make key file: %s holds a key already, of another roster perhaps; move it away", path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	return f, nil
}
