package audit

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// The bounds of a ring's files. A line with the longest names has some 2 KiB.
const (
	mostOfFile  = 16 << 20
	mostOfFiles = 8
)

// kind is a kind of lines. Lines of other kinds can't drive it out: each kind has files of its own, whose names end
// with it.
type kind string

const (
	ofWrites  kind = ".jsonl"
	ofRefused kind = ".refused.jsonl"
	ofReads   kind = ".reads.jsonl"
)

// ring is the files of one kind. When they have too many bytes, the oldest are deleted.
type ring struct {
	folder string
	kind   kind

	mu         sync.Mutex
	file       *os.File
	mostOfFile int64
	torn       bool // the file ends in the middle of a line
}

// openRing continues the newest file.
func openRing(folder string, kind kind) (*ring, error) {
	r := &ring{folder: folder, kind: kind, mostOfFile: mostOfFile}
	names, err := files(folder, kind)
	if err != nil {
		return nil, fmt.Errorf("server.audit.folder: %w", err)
	}
	name := nameAfter(nil, kind, time.Now())
	if len(names) > 0 {
		name = names[len(names)-1]
	}
	if err := r.use(name); err != nil {
		return nil, fmt.Errorf("server.audit.folder: %w", err)
	}
	return r, nil
}

func (r *ring) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Close()
}

// write adds a line with one call, so that lines of several servers do not mix.
func (r *ring) write(line []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Another server may have added to the file, or removed it as the oldest one.
	if info, err := os.Stat(r.file.Name()); err != nil || info.Size() >= r.mostOfFile {
		if err := r.next(); err != nil {
			return err
		}
	}
	if r.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := r.file.Write(line)
	if n > 0 {
		r.torn = line[n-1] != '\n'
	}
	return err
}

// next begins another file, and deletes the oldest ones.
func (r *ring) next() error {
	full := r.file
	names, err := files(r.folder, r.kind)
	if err != nil {
		return err
	}
	name := nameAfter(names, r.kind, time.Now())
	if err := r.use(name); err != nil {
		return err
	}
	full.Close()
	names = append(names, name)
	return remove(r.folder, names[:max(0, len(names)-mostOfFiles)])
}

// use makes lines go to a file from now on.
func (r *ring) use(name string) error {
	file, err := openFile(r.folder, name)
	if err != nil {
		return err
	}
	torn, err := endsTorn(file)
	if err != nil {
		file.Close()
		return err
	}
	r.file, r.torn = file, torn
	return nil
}
