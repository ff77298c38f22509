package transfer

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// each does something with every item, several at a time, until an error.
func each[T any](ctx context.Context, workers int, items []T, do func(context.Context, T) error) error {
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, item := range items {
		group.Go(func() error {
			if err := limited.Err(); err != nil {
				return err
			}
			return do(limited, item)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
