package configs

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong in a configuration.
type Fault struct {
	Path string // where: "readers[1].address"; "" is the whole file
	Text string // what, in words for the installer; never a secret's value
	Line int    // set by Load
}

// Faults is the error of a file that can be read but not used. It holds
// everything that is wrong, in the order of the lines.
type Faults struct {
	File string
	List []Fault
}

// Error gives one line for each fault: "file:line: text".
func (f *Faults) Error() string {
	lines := make([]string, 0, len(f.List))
	for _, fault := range f.List {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", f.File, fault.Line, fault.Text))
	}
	return strings.Join(lines, "\n")
}

// sorted puts the faults in the order of their lines and drops repetitions.
func sorted(list []Fault) []Fault {
	slices.SortStableFunc(list, func(a, b Fault) int { return a.Line - b.Line })
	return slices.CompactFunc(list, func(a, b Fault) bool { return a.Line == b.Line && a.Text == b.Text })
}
