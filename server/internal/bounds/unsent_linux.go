package bounds

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// holdLittle has the kernel hold no more than mostUnsent for a client that takes nothing. What is
// on its way is not counted, so long lines are as fast.
func holdLittle(accepted net.Conn) {
	control(accepted, func(socket int) {
		// Only TCP has it.
		_ = unix.SetsockoptInt(socket, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, mostUnsent)
	})
}

// acknowledged is how many bytes the other side said to have. Only TCP knows.
func acknowledged(c net.Conn) (n int64, known bool) {
	control(c, func(socket int) {
		info, err := unix.GetsockoptTCPInfo(socket, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err == nil {
			n, known = int64(info.Bytes_acked), true
		}
	})
	return n, known
}

func control(c net.Conn, do func(socket int)) {
	socket, ok := inner(c).(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { do(int(fd)) })
	}
}
