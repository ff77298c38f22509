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

// Before anything is deleted something has to be written, and on a full disk nothing can be. So a store
// that is a folder keeps a spare, which is deleted to make room. It is several files, because disks also
// run out of files, and of random bytes, because some file systems store others in no space.
const (
	spareName  = "spare"
	spareFiles = 8
	spareBytes = 8 << 10
)

// KeepSpare writes what is missing of the spare. If that fails, no harm is done yet.
func (f *Fence) KeepSpare(ctx context.Context) {
	if !traits.Of[f.driver.Name()].Folder {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, f.timing.Expiry)
	defer cancel()
	spare := path.Join(folder, spareName)
	names, err := layout.Names(ctx, f.driver, spare)
	for _, name := range names {
		// Each write that fails on a full disk may leave one.
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

// put writes what has to be there before anything is deleted, if need be in place of the spare.
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
