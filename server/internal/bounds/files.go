package bounds

import (
	"math"
	"syscall"
)

// mostFiles is how many this process may have open. Go has raised it to what it may raise it to.
func mostFiles() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return limit.Cur
}
