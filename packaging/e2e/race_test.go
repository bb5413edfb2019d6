//go:build race

package e2e_test

import "time"

// buildFlags: tests with the race detector look for races in the programs, too.
func buildFlags() []string { return []string{"-race"} }

// bar is how long something may take: with the race detector programs are many
// times slower, and the bar is held without it.
func bar(d time.Duration) time.Duration { return 10 * d }
