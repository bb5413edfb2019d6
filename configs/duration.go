package configs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration takes what time.ParseDuration takes, and days and weeks as
// well: 90d, 2w, 1d12h. A day is 24 hours here. Negative spans are refused.
func ParseDuration(text string) (time.Duration, error) {
	rest := strings.TrimSpace(text)
	total := time.Duration(0)
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		count, after, ok := strings.Cut(rest, unit.letter)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(count, 10, 32)
		if err != nil || n > uint64((math.MaxInt64-total)/unit.length) {
			return 0, fmt.Errorf("time span %q: want for instance 30s, 15m, 12h or 90d", text)
		}
		total += time.Duration(n) * unit.length
		if rest = after; rest == "" {
			return total, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || total > math.MaxInt64-d {
		return 0, fmt.Errorf("time span %q: want for instance 30s, 15m, 12h or 90d", text)
	}
	return total + d, nil
}
