//go:build unix

package journal

import (
	"errors"
	"syscall"
)

// isFull reports whether an error says that the disk, a quota or a limit on
// the file's size leaves no room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
