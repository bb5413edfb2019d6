package journal

import (
	"errors"
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
	return errors.Is(err, errorDiskFull) || errors.Is(err, errorHandleDiskFull)
}
