package journal

import (
	"errors"
	"strings"
	"syscall"
)

// What Windows answers when there is no room: ERROR_DISK_FULL and
// ERROR_HANDLE_DISK_FULL.
const (
	errorDiskFull       = syscall.Errno(112)
	errorHandleDiskFull = syscall.Errno(39)
)

// isFull reports whether an error says that the disk leaves no room.
func isFull(err error) bool {
	for _, full := range []syscall.Errno{errorDiskFull, errorHandleDiskFull} {
		// bbolt turns the error of a file that cannot grow into text.
		if errors.Is(err, full) || strings.HasSuffix(err.Error(), full.Error()) {
			return true
		}
	}
	return false
}
