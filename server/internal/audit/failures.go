package audit

import (
	"sync"
	"time"
)

// mostFailures is how many failed logins get a line each minute, and how many refused writes of users
// and of strangers do: somebody who guesses passwords must not be able to drive out older lines.
const mostFailures = 120

// failures counts the failures of the current minute.
type failures struct {
	mu      sync.Mutex
	began   time.Time
	count   int
	omitted int
}

// admit says whether a failure gets a line, and how many got none since the last one that did.
func (f *failures) admit(now time.Time) (omitted int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.began) >= time.Minute {
		f.began, f.count = now, 0
	}
	if f.count == mostFailures {
		f.omitted++
		return 0, false
	}
	f.count++
	omitted, f.omitted = f.omitted, 0
	return omitted, true
}
