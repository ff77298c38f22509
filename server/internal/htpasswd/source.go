package htpasswd

import (
	"crypto/sha256"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/stamp"
)

// Source is a file of users that may change at any time.
type Source struct {
	file    string
	log     *logrus.Entry
	current atomic.Pointer[reading]

	// reload is held while the file is read, and guards what follows.
	reload   sync.Mutex
	reported string
}

// reading is what was found in the file, and the stamp that says it is still so;
// no stamp when the file is too young to tell.
type reading struct {
	users *Users
	stamp stamp.Stamp
	sum   [sha256.Size]byte
}

// Open reads the file for the first time. That it is missing or wrong is an error.
func Open(file string, log *logrus.Entry) (*Source, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	users, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", file, err)
	}
	s := &Source{file: file, log: log}
	s.current.Store(&reading{users: users, sum: users.Sum()})
	return s, nil
}

// Users are those in force now. A file that is broken, gone or half-written leaves
// the former ones in force.
func (s *Source) Users() *Users {
	now, err := stamp.Of(s.file)
	if r := s.current.Load(); err == nil && now == r.stamp {
		return r.users
	}
	s.reload.Lock()
	defer s.reload.Unlock()
	return s.read()
}

func (s *Source) read() *Users {
	former := s.current.Load()
	before, err := stamp.Of(s.file)
	if err != nil {
		s.report(err)
		return former.users
	}
	if before == former.stamp {
		return former.users
	}
	content, err := os.ReadFile(s.file)
	if err != nil {
		s.report(err)
		return former.users
	}
	r := &reading{users: former.users, sum: sha256.Sum256(content)}
	if r.sum != former.sum {
		if users, err := Parse(content); err != nil {
			s.report(err)
		} else {
			r.users, s.reported = users, ""
			s.log.WithField("users", len(users.hashes)).Info("users replaced")
		}
	}
	if before.Settled(time.Now()) {
		r.stamp = before
	}
	s.current.Store(r)
	return r.users
}

// report logs a reason once, not on every request.
func (s *Source) report(err error) {
	if s.reported == err.Error() {
		return
	}
	s.reported = err.Error()
	s.log.Errorf("auth.htpasswd.path: %q: the former users stay in force: %v", s.file, err)
}
