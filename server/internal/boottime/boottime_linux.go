// Package boottime has a clock for what a machine that sleeps must not think to hold still.
package boottime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now goes on while the machine is suspended, which Go's monotonic clock does not,
// and does not jump when somebody sets the time.
func Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}
