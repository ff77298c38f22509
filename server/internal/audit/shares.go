package audit

import (
	"sync"
	"time"
)

// What one user may write: a file at once, and as much again in that time. The lines of others are
// there for most of a day, whatever one user does.
const (
	mostOfUser = mostOfFile
	anew       = 3 * time.Hour
)

// shares are what users have written. There are no more than users have been.
type shares struct {
	mu    sync.Mutex
	users map[string]*share
}

// share is of one user.
type share struct {
	bytes   float64 // what is left of it
	at      time.Time
	omitted int
}

// admit says whether a user's line is written, and how many were not since the last one that was. What
// nobody has done, as a collection, always is.
func (s *shares) admit(user string, bytes int, now time.Time) (omitted int, ok bool) {
	if user == "" {
		return 0, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == nil {
		s.users = map[string]*share{}
	}
	own, ok := s.users[user]
	if !ok {
		own = &share{bytes: mostOfUser, at: now}
		s.users[user] = own
	}
	// A clock that is set back takes nothing away.
	own.bytes = min(mostOfUser, own.bytes+mostOfUser*max(0, now.Sub(own.at).Hours())/anew.Hours())
	own.at = now
	if own.bytes < float64(bytes) {
		own.omitted++
		return 0, false
	}
	own.bytes -= float64(bytes)
	omitted, own.omitted = own.omitted, 0
	return omitted, true
}
