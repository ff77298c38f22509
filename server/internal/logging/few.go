package logging

import (
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// Few are the lines of one kind that anybody can cause, without a login too. Logs are kept up to a
// size, so there are some each second, and how many more there were.
type Few struct {
	log  *logrus.Entry
	kind string

	mu    sync.Mutex
	since time.Time
	// taken are those of this second, left those that are not told of.
	taken, left int
}

// mostOfASecond is more than clients with a purpose cause for long. It fills 30 MB in some hours, and with
// the longest lines there are in a quarter of one.
const mostOfASecond = 10

// NewFew tells log of what it leaves out, by the name of the kind.
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
