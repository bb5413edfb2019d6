package service

import (
	"fmt"
	"os"

	kardianos "github.com/kardianos/service"
	"golang.org/x/sys/windows"
)

func privileged() bool { return windows.GetCurrentProcessToken().IsElevated() }

// prepare makes the data folder; the manager starts the program again one
// second after it failed.
func prepare(c Config) (kardianos.KeyValue, error) {
	if c.Data != "" {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make data folder: %w", err)
		}
	}
	return kardianos.KeyValue{"OnFailure": "restart", "OnFailureDelayDuration": "1s", "OnFailureResetPeriod": 60}, nil
}

// failed: Windows knows running and stopped only.
func failed(Config) bool { return false }
