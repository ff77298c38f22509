package forward

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// still is for how long nothing has gone to or come from the other side. The kernel knows,
// which moves the bytes by itself.
func still(c *net.TCPConn) time.Duration {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var least uint32
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			least = min(info.Last_data_sent, info.Last_data_recv)
		}
	})
	return time.Duration(least) * time.Millisecond
}
