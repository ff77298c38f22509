package bounds

import "context"

// Places are taken and left again.
type Places chan struct{}

// Take waits for one.
func (p Places) Take(ctx context.Context) error {
	select {
	case p <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Leave is for who took one.
func (p Places) Leave() { <-p }
