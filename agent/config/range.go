package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Range is a span of user IDs, written 5000-5999. The zero Range holds every ID.
type Range struct{ First, Last uint64 }

// ParseRange reads "5000-5999"; "" is the zero Range.
func ParseRange(text string) (Range, error) {
	if text == "" {
		return Range{}, nil
	}
	first, last, _ := strings.Cut(text, "-")
	a, errA := strconv.ParseUint(strings.TrimSpace(first), 10, 64)
	b, errB := strconv.ParseUint(strings.TrimSpace(last), 10, 64)
	if errors.Join(errA, errB) != nil || b < a {
		return Range{}, fmt.Errorf("%q is no range of user IDs; write for instance 5000-5999", text)
	}
	return Range{First: a, Last: b}, nil
}

// Contains reports whether an ID is within the range; one that is no number is
// not, unless there is no range.
func (r Range) Contains(id string) bool {
	if r == (Range{}) {
		return true
	}
	n, err := strconv.ParseUint(id, 10, 64)
	return err == nil && n >= r.First && n <= r.Last
}

// String prints the range as it is written, "" for none.
func (r Range) String() string {
	if r == (Range{}) {
		return ""
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}
