//go:build race

package simulate

// slow: under the race detector a run takes ten times as long.
const slow = true
