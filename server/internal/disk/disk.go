// Package disk knows how much room there is in a folder's file system.
package disk

import (
	"errors"
	"time"

	"golang.org/x/sync/singleflight"
)

// Space is the size of a file system, in bytes and in files. Bytes that only root may use do not
// count as free. Files is 0 if their number has no limit.
type Space struct {
	Total, Free, Files, FreeFiles uint64
}

// patience is the time after which a network file system counts as not answering.
const patience = 2 * time.Second

var errSilent = errors.New("the file system does not answer")

// Folder is a folder whose file system is asked for its space.
type Folder struct {
	path  string
	looks singleflight.Group
}

// In returns the folder at a path.
func In(path string) *Folder { return &Folder{path: path} }

// Space looks only once for all callers that ask at the same time.
func (f *Folder) Space() (Space, error) {
	select {
	case result := <-f.looks.DoChan("", func() (any, error) { return spaceOf(f.path) }):
		space, _ := result.Val.(Space)
		return space, result.Err
	case <-time.After(patience):
		return Space{}, errSilent
	}
}
