package fence

import (
	"context"
	"crypto/rand"
	"path"
	"slices"
	"strconv"
	"strings"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/traits"
)

// Who deletes has to write something first, and on a full disk nothing can be written. So a store
// that is a folder keeps a spare, which makes room for that: several files, as disks run out of
// those too, and of random bytes, as some disks keep no others.
const (
	spareName  = "spare"
	spareFiles = 8
	spareBytes = 8 << 10
)

// KeepSpare writes what is missing of the spare. Where that fails there is no harm yet.
func (f *Fence) KeepSpare(ctx context.Context) {
	if !traits.Of[f.driver.Name()].Folder {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, f.timing.Expiry)
	defer cancel()
	spare := path.Join(folder, spareName)
	names, err := layout.Names(ctx, f.driver, spare)
	for _, name := range names {
		// A full disk may leave one each time.
		if strings.HasSuffix(name, ".tmp") {
			_ = f.driver.Delete(ctx, path.Join(spare, name))
		}
	}
	content := make([]byte, spareBytes)
	_, _ = rand.Read(content)
	for i := 0; i < spareFiles && err == nil && ctx.Err() == nil; i++ {
		if name := strconv.Itoa(i); !slices.Contains(names, name) {
			err = f.driver.PutContent(ctx, path.Join(spare, name), content)
		}
	}
}

// put writes what has to be there before anything is deleted, if need be in the place of the spare.
func (f *Fence) put(ctx context.Context, object string, content []byte) error {
	err := f.driver.PutContent(ctx, object, content)
	if err == nil || !traits.Of[f.driver.Name()].Folder {
		return err
	}
	f.spent.Store(true)
	if f.remove(ctx, path.Join(folder, spareName)) != nil {
		return err
	}
	return f.driver.PutContent(ctx, object, content)
}

// respare writes the spare anew if it was spent.
func (f *Fence) respare(ctx context.Context) {
	if f.spent.Swap(false) {
		f.KeepSpare(ctx)
	}
}
