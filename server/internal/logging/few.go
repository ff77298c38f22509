package logging

import (
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// Few bounds the lines of one kind that anybody can cause, even without a login. Logs are kept only up to
// a size, so only some lines are written each second, and the number of those that were left out.
type Few struct {
	log  *logrus.Entry
	kind string

	mu    sync.Mutex
	since time.Time
	// taken counts the lines of this second, left those that were left out and not reported yet.
	taken, left int
}

// mostOfASecond is more than well-meaning clients cause for long. It fills 30 MB in some hours, or in a
// quarter of an hour with the longest lines.
const mostOfASecond = 10

// NewFew makes a bound that reports to log how many lines of the kind were left out.
func NewFew(log *logrus.Entry, kind string) *Few { return &Few{log: log, kind: kind} }

// Take says whether there is room for a line.
func (f *Few) Take() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.since) >= time.Second {
		f.since, f.taken = now, 0
	}
	if f.taken < mostOfASecond {
		f.taken++
		return true
	}
	if f.left++; f.left == 1 {
		time.AfterFunc(time.Second, f.tell)
	}
	return false
}

func (f *Few) tell() {
	f.mu.Lock()
	left := f.left
	f.left = 0
	f.mu.Unlock()
	f.log.Warnf("%d more %s are not in the log", left, f.kind)
}
