package transfer

import (
	"context"
	"errors"
	"time"
)

const (
	attempts = 3
	pause    = 2 * time.Second
)

// retry helps if a connection breaks while a blob is read: drivers repeat requests, but not the reading of a
// response.
func retry(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || attempt == attempts || errors.Is(err, errDamaged) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause * time.Duration(attempt)):
		}
	}
}
