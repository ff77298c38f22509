package bounds

import (
	"math"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"
)

// Limits are what a server bears.
type Limits struct {
	// Connections are open at the same time, Requests under way. There are fewer requests,
	// so that there is always a connection that can make room for a new one.
	Connections, Requests int
	// Loud connections have sent more than MostUnasked.
	Loud int
	// Ample are the connections for which the kernel may hold all that it likes, 4 MiB of what
	// their clients don't take; it counts as the container's memory.
	Ample int
	// Arriving are the connections of which bytes were read that net/http has yet to look at; see arriving.
	Arriving int
	// Patience is how long the server waits for a client that moves no bytes; see patience.
	Patience time.Duration
	// Rest is how long a client may send what is not read any more, such as the body of a
	// request without a login.
	Rest time.Duration
}

// LimitsOf suits a server with this much memory that may have so many files open. A connection
// costs 40 KiB with TLS, a request on it its buffers. A header of many short lines costs ten
// times as much, and so do pings of HTTP/2: net/http keeps room for as many answers as once
// waited. With each goes a file of the store, and a connection to it or to a mirror's upstream.
func LimitsOf(memory int64, files uint64) Limits {
	ofFiles := max(fewConnections, (files-min(files, filesOfItsOwn))/3)
	connections := int(min(uint64(memory)/(512<<10), ofFiles))
	return Limits{
		Connections: connections,
		Requests:    connections * 3 / 4,
		Loud:        connections / 8,
		Ample:       connections / 32,
		Arriving:    connections / 32,
		Patience:    time.Minute,
		Rest:        5 * time.Second,
	}
}

const (
	// fewConnections are served whatever the system allows.
	fewConnections = 16
	// filesOfItsOwn are those that the server holds by itself: its listeners, certificate and
	// caches among them.
	filesOfItsOwn = 64
)

// OfProcess suits this process. It warns where that may open fewer files than its memory is for.
func OfProcess(log *logrus.Entry) Limits {
	memory, files := Memory(), mostFiles()
	limits, ample := LimitsOf(memory, files), LimitsOf(memory, math.MaxUint64)
	if limits.Connections < ample.Connections {
		log.Warnf("only %d files may be open (ulimit -n), so there are %d connections at a time; the memory is for %d, with %d files",
			files, limits.Connections, ample.Connections, filesOfItsOwn+3*ample.Connections)
	}
	return limits
}

// Memory is what GOMEMLIMIT allows, or a gigabyte.
func Memory() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	return 1 << 30
}

// LeaveRoom has garbage collected an eighth before the limit, from which all bounds are known by
// then: what thousands of new connections allocate meanwhile has ended a server whose container
// has a tenth more.
func LeaveRoom() {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		debug.SetMemoryLimit(limit - limit/8)
	}
}
