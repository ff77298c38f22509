// Package disk knows how much room there is in a folder's file system.
package disk

import (
	"errors"
	"time"

	"golang.org/x/sync/singleflight"
)

// Space is what a file system has, in bytes and in files. What only root may use is not
// free. Files are 0 where their number has no limit.
type Space struct {
	Total, Free, Files, FreeFiles uint64
}

// patience is for a network file system whose server is away.
const patience = 2 * time.Second

var errSilent = errors.New("the file system does not answer")

// Folder is one whose space is asked for.
type Folder struct {
	path  string
	looks singleflight.Group
}

// In is a folder.
func In(path string) *Folder { return &Folder{path: path} }

// Space looks once for all who ask at the same time.
func (f *Folder) Space() (Space, error) {
	select {
	case result := <-f.looks.DoChan("", func() (any, error) { return spaceOf(f.path) }):
		space, _ := result.Val.(Space)
		return space, result.Err
	case <-time.After(patience):
		return Space{}, errSilent
	}
}
