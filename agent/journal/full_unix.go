//go:build unix

package journal

import (
	"errors"
	"strings"
	"syscall"
)

// isFull reports whether an error says that the disk, a quota or a limit on
// the file's size leaves no room.
func isFull(err error) bool {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		// bbolt turns the error of a file that cannot grow into text.
		if errors.Is(err, full) || strings.HasSuffix(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}
