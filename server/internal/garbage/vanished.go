package garbage

import (
	"context"
	"fmt"

	"container-registry/server/internal/garbage/inventory"
)

// lookTwice takes the inventory. If that has blobs and no repositories, it is not trusted at once: a store
// that for a moment answers as if there were no repositories would lose everything.
func (r *run) lookTwice(ctx context.Context) (*inventory.Inventory, error) {
	i, err := inventory.Take(ctx, r.driver)
	if err != nil || !isLeftover(i) {
		return i, err
	}
	if i, err = inventory.Take(ctx, r.driver); err != nil || !isLeftover(i) {
		return i, err
	}
	if err := r.recall(ctx); err != nil {
		return nil, err
	}
	if left := leftBehind(r.Runs()); left > 0 {
		return nil, fmt.Errorf("the store lists %d blobs and no repository, of which the last collection left %d: nothing is deleted until there is one; if that is right, push an image", len(i.Blobs), left)
	}
	return i, nil
}

func isLeftover(i *inventory.Inventory) bool { return len(i.Blobs) > 0 && len(i.Repositories) == 0 }

// leftBehind is how many repositories there were after the last collection that knew. The runs begin with
// the latest one.
func leftBehind(runs []Run) int {
	for _, run := range runs {
		if run.Report != nil && (run.Err == nil || run.Report.Repositories > 0) {
			return run.Report.Repositories - run.Report.RepositoriesDeleted
		}
	}
	return 0
}
