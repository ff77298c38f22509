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
// something there. Files that belong to that user already are left alone, so that a second
// run on a large store only reads.
func HandOver(ctx context.Context, folder string) error {
	return handOver(ctx, folder, User, os.Lchown, false)
}

// Check finds out whether HandOver would succeed, and gives nothing away: each file that HandOver would
// give to another owner is given to the owner that it has, which is refused for the same reasons. The only
// exception is a file system that takes root for that owner, as on NFS with root_squash.
func Check(ctx context.Context, folder string) error {
	return handOver(ctx, folder, User, os.Lchown, true)
}

// handOver gives each file to the owner that it has already if dryRun is set.
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
			// Nobody can tell where the other name is: it may be a file of the system.
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

// checkAlone refuses a folder of others, such as /srv or /etc. A folder that was handed over
// once is the registry's, whatever has been put there since.
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

// below are patterns of what the folders below the top of a store contain, relative to each folder.
var below = []string{
	"registry/v2", "v2/blobs", "v2/repositories",
	"blobs/sha256", "sha256/" + hex + hex, hex + hex + "/" + encoded, encoded,
	"*/" + layout.Manifests, "*/" + layout.Layers, layout.Manifests, layout.Layers,
}

const hex = "[0-9a-f]"

// encoded matches the name of a digest's own folder.
var encoded = strings.Repeat(hex, 64)

// inside returns what shows that a folder lies within a store, whoever owns that; otherwise nothing. With a path that
// is a level too deep, images look lost, and what is written there gets in the way of the outer store.
func inside(folder string) string {
	for _, pattern := range below {
		if found, _ := fs.Glob(os.DirFS(folder), pattern); len(found) > 0 {
			return found[0]
		}
	}
	return ""
}

// isStores says whether a name is one that a registry or a file system has at the top of a store.
func isStores(folder, name string) (bool, error) {
	switch name {
	case "docker":
		// A host's own folder of that name has more in it.
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
