package cloud

import (
	"errors"

	"doorsync/cloud/config"
	"doorsync/cloud/notify"
)

// Check reads the files that the configuration names for mail, and reports all
// that is wrong with them. It connects to nothing.
func Check(cfg config.Config) error {
	if !cfg.Mail.Enabled() {
		return nil
	}
	_, errTemplates := notify.LoadTemplates(cfg.Mail.Templates, cfg.Mail.Language)
	_, errRoots := notify.LoadRoots(cfg.Mail.CAFile)
	_, errPassword := cfg.Mail.Password()
	return errors.Join(errTemplates, errRoots, errPassword)
}
