package control

import (
	"net"
	"os"
	"syscall"
)

// ownUserOnly accepts connections from processes of the same user, and of root.
type ownUserOnly struct{ net.Listener }

func (o ownUserOnly) Accept() (net.Conn, error) {
	for {
		conn, err := o.Listener.Accept()
		if err != nil || trusted(conn) {
			return conn, err
		}
		conn.Close()
	}
}

func trusted(conn net.Conn) bool {
	unix, ok := conn.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return false
	}
	var peer *syscall.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		peer, failed = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return err == nil && failed == nil && (peer.Uid == 0 || int(peer.Uid) == os.Getuid())
}
