package wait

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := errors.New("ended")
		ctx, end := context.WithCancelCause(t.Context())
		begin := time.Now()
		if err := For(ctx, time.Minute); err != nil || time.Since(begin) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := For(ctx, 0); err != nil {
			t.Error(err)
		}
		time.AfterFunc(time.Second, func() { end(ended) })
		begin = time.Now()
		if err := For(ctx, time.Minute); !errors.Is(err, ended) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := For(ctx, -time.Second); !errors.Is(err, ended) {
			t.Error(err)
		}
	})
}
