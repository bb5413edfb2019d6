package uplink

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// deadAfter is how long sent bytes may stay unacknowledged, in milliseconds.
// The system's own patience is a quarter of an hour.
const deadAfter = 8000

func noticeDeadLine(_, _ string, c syscall.RawConn) error {
	// Without it a dead line is noticed later, by the keepalive.
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, deadAfter)
	})
}
