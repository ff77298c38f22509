package bounds

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// holdLittle has the kernel hold no more than mostUnsent for a client that takes nothing. What is
// on its way is not counted, so long lines are as fast.
func holdLittle(accepted net.Conn) {
	socket, ok := inner(accepted).(syscall.Conn)
	if !ok {
		return
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		// Only TCP has it.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, mostUnsent)
	})
}

func inner(c net.Conn) net.Conn {
	for {
		outer, ok := c.(wrapper)
		if !ok {
			return c
		}
		c = outer.NetConn()
	}
}
