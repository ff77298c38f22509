// Package audit keeps a record of what clients do in a registry: a line of JSON for each
// write, even a refused one, for each failed login, and for each read if that is wanted. The record has files of
// its own, of which the oldest are deleted when they have too many bytes. A client with few rights can't cause the
// deletion of lines about others.
package audit

import (
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

// complaints is the shortest time between two lines in the server's log that say that the record has gaps.
const complaints = time.Minute

// Log writes the record of a server. Servers that run one after the other, or at the same time
// for a while, may share a folder.
type Log struct {
	log *logrus.Entry

	writes, refused, reads *ring

	mu         sync.Mutex
	complained time.Time
	// shares bounds what each user may write.
	shares shares
	// Refusals have bounds of their own: those of logins, of writes of users, and of writes without a login.
	failures, denied, strangers failures

	written, lost atomic.Int64
}

// Open continues the newest files of a folder.
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

// Counts returns how many records were written, and how many could not be.
func (l *Log) Counts() (written, lost int64) { return l.written.Load(), l.lost.Load() }

// Close ends the record.
func (l *Log) Close() error {
	return errors.Join(l.writes.close(), l.refused.close(), l.reads.close())
}

// add writes a record. If that fails, the client can go on nevertheless.
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
