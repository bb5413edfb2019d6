//go:build !simulate_fixed

package simulate

// Fixed reports whether a seed always makes the same run. Without the runtime
// that fixed.sh makes, goroutines of one instant take turns as they please.
const Fixed = false

func fix(uint64) {}
