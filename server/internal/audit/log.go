// Package audit keeps a record of what clients do in a registry: a line of JSON for each
// write, also a refused one, for each failed login, and for each read if that is wanted. It is in files of its
// own, of which the oldest go when there are too many bytes.
package audit

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
)

// What the files may take. A line of the longest names has some 2 KiB.
const (
	mostOfFile  = 16 << 20
	mostOfFiles = 8
	// complaints is how often at most the server's log says that the record has holes.
	complaints = time.Minute
)

// Log writes the record of a server. Servers that follow each other, or run at the same time
// for a while, may share a folder.
type Log struct {
	folder string
	log    *logrus.Entry

	mu         sync.Mutex
	file       *os.File
	mostOfFile int64
	torn       bool // the file ends within a line
	complained time.Time
	// What is refused has bounds of its own: logins, writes of users, and of who has not logged in.
	failures, denied, strangers failures

	written, lost atomic.Int64
}

// Open goes on with the newest file of a folder.
func Open(folder string, log *logrus.Entry) (*Log, error) {
	l := &Log{folder: folder, log: log, mostOfFile: mostOfFile}
	names, err := files(folder)
	if err != nil {
		return nil, fmt.Errorf("server.audit.folder: %w", err)
	}
	name := nameAfter(nil, time.Now())
	if len(names) > 0 {
		name = names[len(names)-1]
	}
	if err := l.use(name); err != nil {
		return nil, fmt.Errorf("server.audit.folder: %w", err)
	}
	return l, nil
}

// Counts are how many records were written, and how many could not be.
func (l *Log) Counts() (written, lost int64) { return l.written.Load(), l.lost.Load() }

// Close ends the record.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// add writes a record, by one call, so that lines of several servers do not mix. A client is
// not kept from its work when that fails.
func (l *Log) add(r record) {
	line, err := json.Marshal(r)
	if err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(append(line, '\n')); err != nil {
		l.lost.Add(1)
		if now := time.Now(); now.Sub(l.complained) >= complaints {
			l.complained = now
			l.log.WithError(err).Error("the audit could not be written; it has a hole")
		}
		return
	}
	l.written.Add(1)
}

func (l *Log) write(line []byte) error {
	// Another server may have added to the file, or removed it as the oldest one.
	if info, err := os.Stat(l.file.Name()); err != nil || info.Size() >= l.mostOfFile {
		if err := l.next(); err != nil {
			return err
		}
	}
	if l.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := l.file.Write(line)
	if n > 0 {
		l.torn = line[n-1] != '\n'
	}
	return err
}

// next begins another file, and lets the oldest go.
func (l *Log) next() error {
	full := l.file
	names, err := files(l.folder)
	if err != nil {
		return err
	}
	name := nameAfter(names, time.Now())
	if err := l.use(name); err != nil {
		return err
	}
	full.Close()
	names = append(names, name)
	return remove(l.folder, names[:max(0, len(names)-mostOfFiles)])
}

// use has lines go to a file from now on.
func (l *Log) use(name string) error {
	file, err := openFile(l.folder, name)
	if err != nil {
		return err
	}
	torn, err := endsTorn(file)
	if err != nil {
		file.Close()
		return err
	}
	l.file, l.torn = file, torn
	return nil
}
