package layout

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// Carried is the time when a tag was pushed to the registry that it was transferred from. The modification
// time of a file can't be set in most stores, so the time is in the name of a file of its own: whoever lists
// the store knows it without reading the file. It counts only as long as the tag's link is the one that the
// transfer wrote: a new push of the tag, even to a stock server, writes another link.
type Carried struct {
	Manifest digest.Digest
	// Pushed and Written are in microseconds since 1970. Written is when the link was written to this store.
	Pushed, Written int64
}

// CarriedPath is the path of the file that tells this for a tag.
func CarriedPath(repository, tag string, c Carried) string {
	return path.Join(pastPath(repository, tag, c.Manifest), fmt.Sprintf("%s.%d.%d", carried, c.Pushed, c.Written))
}

// CarriedOf reads the tag and its push from the path of such a file. ok is false for other paths.
func CarriedOf(p string) (tag string, c Carried, ok bool) {
	name, isOne := strings.CutPrefix(path.Base(p), carried+".")
	if !isOne {
		return "", Carried{}, false
	}
	_, entry, _ := strings.Cut(p, Tags+"/")
	parts, times := strings.Split(entry, "/"), strings.Split(name, ".")
	if len(parts) != 5 || parts[1] != index || len(times) != 2 {
		return "", Carried{}, false
	}
	pushed, wrong := strconv.ParseInt(times[0], 10, 64)
	written, alsoWrong := strconv.ParseInt(times[1], 10, 64)
	valid := Valid(parts[2], parts[3:4])
	if wrong != nil || alsoWrong != nil || len(valid) == 0 {
		return "", Carried{}, false
	}
	return parts[0], Carried{valid[0], pushed, written}, true
}

// LastPush is when a tag was pushed that names the manifest d through a link written at the given time.
// Some stores tell the time of a single file only to the second, rounded down or up.
func LastPush(d digest.Digest, written time.Time, all []Carried) time.Time {
	var pushed time.Time
	for _, c := range all {
		at := time.UnixMicro(c.Pushed)
		if c.Manifest == d && written.Sub(time.UnixMicro(c.Written)).Abs() < time.Second && at.After(pushed) {
			pushed = at
		}
	}
	if pushed.IsZero() {
		return written
	}
	return pushed
}

// FindLastPush is LastPush for one tag, whose carried times it looks up.
func FindLastPush(ctx context.Context, driver storagedriver.StorageDriver, repository, tag string, d digest.Digest, written time.Time) (time.Time, error) {
	folder := pastPath(repository, tag, d)
	names, err := Names(ctx, driver, folder)
	var all []Carried
	for _, name := range names {
		if _, c, ok := CarriedOf(path.Join(folder, name)); ok {
			all = append(all, c)
		}
	}
	return LastPush(d, written, all), err
}

// pastPath is the folder of a manifest in a tag's history.
func pastPath(repository, tag string, d digest.Digest) string {
	return path.Dir(LinkPath(TagIndexPath(repository, tag), d))
}
