// Package stamp tells with stat whether a file has changed.
package stamp

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// settling is the age from which on any change shows in a stamp. Two changes that are
// closer together than the resolution of a file system's clock look the same.
const settling = time.Second

// Stamp is what a stat shows of a file. The time of change matters most: tar, docker
// cp and rsync set the time of modification as they please, often the same each time,
// and a new file may get the number of the old one.
type Stamp struct {
	device, inode     uint64
	size              int64
	modified, changed unix.Timespec
}

// Of stats a file, following symbolic links.
func Of(file string) (Stamp, error) {
	var s unix.Stat_t
	if err := unix.Stat(file, &s); err != nil {
		return Stamp{}, &os.PathError{Op: "stat", Path: file, Err: err}
	}
	return Stamp{uint64(s.Dev), s.Ino, s.Size, s.Mtim, s.Ctim}, nil
}

// Settled is true when the file did not change lately, so that contents read now
// belong to this stamp and to no other.
func (s Stamp) Settled(now time.Time) bool {
	return now.Sub(time.Unix(s.changed.Unix())) > settling
}
