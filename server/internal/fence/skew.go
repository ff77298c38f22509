package fence

import (
	"context"
	"fmt"
	"time"

	"container-registry/server/internal/layout"
)

// mostSkew is how far the clocks of a server and its store may be apart. Clocks that are synchronized never
// differ by so much.
const mostSkew = 5 * time.Minute

// CompareClocks fails if this server's clock is far from the store's, which dates everything there. If the
// store does not say when something was written, there is nothing to compare.
func (h *Hold) CompareClocks(ctx context.Context) error {
	before := time.Now()
	if err := h.write(ctx); err != nil {
		return err
	}
	info, err := layout.Twice(h.fence.driver).Stat(ctx, h.self.path())
	if err != nil {
		return err
	}
	now, written := time.Now(), info.ModTime()
	if written.IsZero() || before.Sub(written) <= mostSkew && written.Sub(now) <= mostSkew {
		return nil
	}
	return fmt.Errorf("nothing is deleted: this server's clock says %s, and the store's %s; set the one that is wrong, as they tell what is old enough to go",
		now.UTC().Format(time.RFC3339), written.UTC().Format(time.RFC3339))
}
