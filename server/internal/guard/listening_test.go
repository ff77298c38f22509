package guard

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/wait"
)

// lossy copies for minutes, and leaves every question but the third of three without an answer.
type lossy struct {
	storagedriver.StorageDriver
	asked *atomic.Int32
}

func (s lossy) Move(ctx context.Context, from, to string) error {
	if err := wait.For(ctx, 5*time.Minute); err != nil {
		return err
	}
	return s.StorageDriver.Move(ctx, from, to)
}

func (s lossy) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if s.asked.Add(1)%3 != 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.StorageDriver.Stat(ctx, path)
}

// TestAnswersInTheEnd has a store go on that leaves a question without an answer now and then, as on a
// line that is full.
func TestAnswersInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, driver, _ := guarded(lossy{inmemory.New(), &atomic.Int32{}})
		if err := driver.PutContent(t.Context(), "/a", nil); err != nil {
			t.Fatal(err)
		}
		if err := driver.Move(t.Context(), "/a", "/b"); err != nil {
			t.Error(err)
		}
	})
}
