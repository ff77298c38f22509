package turns

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"container-registry/server/internal/bounds"
)

// TestTurns has each folder listed in a turn of its kind, by what is known of it.
func TestTurns(t *testing.T) {
	failure := errors.New("failure")
	turns := New(0)
	many, few, alone := turns.many, turns.few, turns.alone
	for name, test := range map[string]struct {
		entries int
		err     error
		ago     time.Duration
		want    bounds.Places
	}{
		"small":                 {small, nil, 0, many},
		"small a while ago":     {small, nil, brief, few},
		"neither":               {large, nil, 0, few},
		"large":                 {large + 1, nil, 0, alone},
		"large a while ago":     {large + 1, nil, time.Hour, alone},
		"too large for its use": {large + 1, failure, 0, alone},
		"not listed":            {0, failure, 0, few},
	} {
		t.Run(name, func(t *testing.T) {
			list := func(among bounds.Places) {
				t.Helper()
				err := turns.InTurn(t.Context(), name, func() (int, error) {
					for _, each := range []bounds.Places{many, few, alone} {
						if isTaken := len(each) == 1; isTaken != (each == among) {
							t.Errorf("%d of %d places are taken", len(each), cap(each))
						}
					}
					return test.entries, test.err
				})
				if !errors.Is(err, test.err) {
					t.Error(err)
				}
			}
			list(few)
			if last, ok := turns.listings.Get(name); ok {
				turns.listings.Add(name, listing{last.entries, last.at.Add(-test.ago)})
			}
			list(test.want)
		})
	}
}

// TestWaiting has nobody wait for a large folder but those who list one, also who waits since before it
// was known to be.
func TestWaiting(t *testing.T) { synctest.Test(t, waiting) }

func waiting(t *testing.T) {
	const folder, other = "large", "unknown"
	turns := New(0)
	few, alone := turns.few, turns.alone
	for range cap(few) {
		few <- struct{}{}
	}
	alone <- struct{}{}
	done := make(chan error)
	go func() { done <- turns.InTurn(t.Context(), folder, func() (int, error) { return 0, nil }) }()
	synctest.Wait()
	turns.listings.Add(folder, listing{large + 1, time.Now()})
	for range cap(few) {
		few.Leave()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := turns.InTurn(ctx, other, func() (int, error) { return 0, nil }); err != nil {
		t.Errorf("another one: %v", err)
	}
	synctest.Wait()
	select {
	case <-done:
		t.Error("two large ones are listed at once")
	default:
	}
	if len(few) > 0 {
		t.Errorf("%d turns of others are taken", len(few))
	}
	alone.Leave()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
