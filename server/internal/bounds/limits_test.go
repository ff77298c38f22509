package bounds

import (
	"fmt"
	"math"
	"testing"
)

// TestLimits has no more files open than the system allows: those of the server, and three for each
// connection.
func TestLimits(t *testing.T) {
	for _, each := range []struct {
		memory      int64
		files       uint64
		connections int
	}{
		{512 << 20, math.MaxUint64, 1024},
		{512 << 20, 1 << 20, 1024},
		{512 << 20, 1024, 320},
		{8 << 30, 4096, 1344},
		{512 << 20, 64, fewConnections},
		{512 << 20, 0, fewConnections},
	} {
		t.Run(fmt.Sprint(each.memory>>20, "MiB, ", each.files), func(t *testing.T) {
			limits := LimitsOf(each.memory, each.files)
			if limits.Connections != each.connections {
				t.Errorf("%d connections", limits.Connections)
			}
			if limits.Requests == 0 || limits.Loud == 0 {
				t.Errorf("nothing is served: %+v", limits)
			}
		})
	}
}
