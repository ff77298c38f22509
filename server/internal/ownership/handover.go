// Package ownership gives folders that others made to the server's user.
package ownership

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// User is the number of the server's user and of its group in the image.
const User = 65532

// HandOver gives a folder and all that is in it to the server's user. What belongs to
// it already is left alone, so that a second run of a large store only reads.
func HandOver(ctx context.Context, folder string) error {
	return handOver(ctx, folder, User, os.Lchown)
}

func handOver(ctx context.Context, folder string, user uint32, chown func(name string, uid, gid int) error) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return fmt.Errorf("%s: its owner cannot be read on this system", path)
		}
		if owner.Uid == user && owner.Gid == user {
			return nil
		}
		if entry.Type().IsRegular() && owner.Nlink > 1 {
			// Nobody can tell whose the other name is: it may be a file of the system's.
			return fmt.Errorf("%s: the file has another name (a hard link) and is not handed over; give the folder a copy of its own", path)
		}
		// Lchown: a link that somebody planted must not hand over what it points to.
		return chown(path, int(user), int(user))
	})
}
