package fence

import (
	"context"
	"sync"
)

// gate lets all writers through, or makes all of them wait.
type gate struct {
	mutex  sync.Mutex
	inside int
	// opened is closed when the gate opens. It is nil while the gate is open.
	opened chan struct{}
	// empty is closed when the last writer has left. It is nil while nobody waits for that.
	empty chan struct{}
}

func newGate() *gate { return &gate{} }

// enter waits for the gate to be open. A caller that has entered must leave.
func (g *gate) enter(ctx context.Context) error {
	for {
		g.mutex.Lock()
		opened := g.opened
		if opened == nil {
			g.inside++
			g.mutex.Unlock()
			return nil
		}
		g.mutex.Unlock()
		select {
		case <-opened:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// again is enter for a caller that is already inside. It does not wait even if the gate is shut: whoever
// shut it waits for the caller to leave, so waiting here would be a deadlock.
func (g *gate) again() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.inside++
}

func (g *gate) leave() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.inside--
	if g.inside == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// shut lets nobody in, and waits until nobody is inside. After an error the gate is open.
func (g *gate) shut(ctx context.Context) error {
	g.mutex.Lock()
	g.opened = make(chan struct{})
	if g.inside == 0 {
		g.mutex.Unlock()
		return nil
	}
	g.empty = make(chan struct{})
	empty := g.empty
	g.mutex.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		g.open()
		return ctx.Err()
	}
}

func (g *gate) open() {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	close(g.opened)
	g.opened, g.empty = nil, nil
}
