//go:build !race

package e2e_test

import "time"

func buildFlags() []string { return nil }

// bar is how long something may take.
func bar(d time.Duration) time.Duration { return d }
