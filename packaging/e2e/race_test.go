//go:build race

package e2e_test

// buildFlags: tests with the race detector look for races in the programs, too.
func buildFlags() []string { return []string{"-race"} }
