// Package ownership gives folders that others made to the server's user.
package ownership

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"container-registry/server/internal/layout"
)

// User is the number of the server's user and of its group in the image.
const User = 65532

// HandOver gives a folder and all that is in it to the server's user, unless others keep
// something there. What belongs to it already is left alone, so that a second run of a
// large store only reads.
func HandOver(ctx context.Context, folder string) error {
	return handOver(ctx, folder, User, os.Lchown, false)
}

// Check finds out whether HandOver would do it, and gives nothing away: what HandOver would
// give to another owner gets the owner it has, which is refused for the same reasons; only not where
// root is taken for that owner, as on NFS with root_squash.
func Check(ctx context.Context, folder string) error {
	return handOver(ctx, folder, User, os.Lchown, true)
}

// handOver of a dry run gives each file to the owner that it has.
func handOver(ctx context.Context, folder string, user uint32, chown func(name string, uid, gid int) error, dryRun bool) error {
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	if found := inside(folder); found != "" {
		return fmt.Errorf("%s lies within the store of a registry (it has %s); give the folder that has docker in it, or another one", folder, found)
	}
	if err := checkAlone(folder, user); err != nil {
		return err
	}
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
		stat, err := statOf(path, info)
		if err != nil {
			return err
		}
		if stat.Uid == user && stat.Gid == user {
			return nil
		}
		if entry.Type().IsRegular() && stat.Nlink > 1 {
			// Nobody can tell whose the other name is: it may be a file of the system's.
			return fmt.Errorf("%s: the file has another name (a hard link) and is not handed over; give the folder a copy of its own", path)
		}
		uid, gid := user, user
		if dryRun {
			uid, gid = stat.Uid, stat.Gid
		}
		// Lchown: a link that somebody planted must not hand over what it points to.
		err = chown(path, int(uid), int(gid))
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("%w: root in a container may not give it away, as with userns-remap or on NFS with root_squash; "+
				"on the host or the NFS server, give the folder and all in it to user and group %d (userns-remap: %d in the engine's range)", err, user, user)
		}
		return err
	})
}

// checkAlone refuses a folder of others, such as /srv or /etc. One that was handed over
// once is the registry's, whatever came there since.
func checkAlone(folder string, user uint32) error {
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is no folder", folder)
	}
	stat, err := statOf(folder, info)
	if err != nil || stat.Uid == user && stat.Gid == user {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var foreign []string
	for _, entry := range entries {
		ours, err := isStores(folder, entry.Name())
		if err != nil {
			return err
		}
		if !ours {
			foreign = append(foreign, strconv.Quote(entry.Name()))
		}
	}
	if len(foreign) == 0 {
		return nil
	}
	if len(foreign) > 3 {
		foreign = append(foreign[:3], "…")
	}
	return fmt.Errorf("%s has something else in it than images (%s), which would be handed over as well; give the registry a folder of its own",
		folder, strings.Join(foreign, ", "))
}

// below is what the folders under the top of a store have in them, each seen from there.
var below = []string{
	"registry/v2", "v2/blobs", "v2/repositories",
	"blobs/sha256", "sha256/" + hex + hex, hex + hex + "/" + encoded, encoded,
	"*/" + layout.Manifests, "*/" + layout.Layers, layout.Manifests, layout.Layers,
}

const hex = "[0-9a-f]"

// encoded is for a digest's own folder.
var encoded = strings.Repeat(hex, 64)

// inside says by what a folder is one within a store, whoever has that; else nothing. A path that is
// a level too deep looks like images that are lost, and what is written there is in the other's way.
func inside(folder string) string {
	for _, pattern := range below {
		if found, _ := fs.Glob(os.DirFS(folder), pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// isStores tells what a registry keeps at the top of its store, and what a file system has there.
func isStores(folder, name string) (bool, error) {
	switch name {
	case "docker":
		// Hosts keep more under that name.
		entries, err := os.ReadDir(filepath.Join(folder, name))
		return len(entries) == 0 || len(entries) == 1 && entries[0].Name() == "registry", err
	case "lost+found", "scheduler-state.json":
		return true, nil
	}
	return layout.IsOwn(name), nil
}

func statOf(path string, info fs.FileInfo) (*syscall.Stat_t, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s: its owner cannot be read on this system", path)
	}
	return stat, nil
}
