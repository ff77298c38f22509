// Package audit keeps a record of what clients do in a registry: a line of JSON for each
// write, also a refused one, for each failed login, and for each read if that is wanted. It is in files of its
// own, of which the oldest go when there are too many bytes; and whoever may do little can't have those go
// that tell of others.
package audit

import (
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

// complaints is how often at most the server's log says that the record has holes.
const complaints = time.Minute

// Log writes the record of a server. Servers that follow each other, or run at the same time
// for a while, may share a folder.
type Log struct {
	log *logrus.Entry

	writes, refused, reads *ring

	mu         sync.Mutex
	complained time.Time
	// shares are what users may write.
	shares shares
	// What is refused has bounds of its own: logins, writes of users, and of who has not logged in.
	failures, denied, strangers failures

	written, lost atomic.Int64
}

// Open goes on with the newest files of a folder.
func Open(folder string, log *logrus.Entry) (*Log, error) {
	l := &Log{log: log}
	var err error
	if l.writes, err = openRing(folder, ofWrites); err != nil {
		return nil, err
	}
	if l.refused, err = openRing(folder, ofRefused); err != nil {
		return nil, err
	}
	l.reads, err = openRing(folder, ofReads)
	return l, err
}

// Counts are how many records were written, and how many could not be.
func (l *Log) Counts() (written, lost int64) { return l.written.Load(), l.lost.Load() }

// Close ends the record.
func (l *Log) Close() error {
	return errors.Join(l.writes.close(), l.refused.close(), l.reads.close())
}

// add writes a record. A client is not kept from its work when that fails.
func (l *Log) add(to *ring, r record) {
	line, err := json.Marshal(r)
	if err == nil {
		err = to.write(append(line, '\n'))
	}
	if err == nil {
		l.written.Add(1)
		return
	}
	l.lost.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.complained) >= complaints {
		l.complained = now
		l.log.WithError(err).Error("the audit could not be written; it has a hole")
	}
}
