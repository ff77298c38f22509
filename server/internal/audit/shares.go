package audit

import (
	"sync"
	"time"
)

// What one user may write: a whole file at once, and as much again in the time anew. The lines of others
// stay for most of a day, whatever one user does.
const (
	mostOfUser = mostOfFile
	anew       = 3 * time.Hour
)

// shares records what users have written. It never has more entries than there have been users.
type shares struct {
	mu    sync.Mutex
	users map[string]*share
}

// share is the share of one user.
type share struct {
	bytes   float64 // what is left of the share
	at      time.Time
	omitted int
}

// admit says whether a user's line is written, and how many were not since the last one that was. A line without a
// user, such as that of a collection, is always written.
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
	// A clock that is set back does not reduce the share.
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
