package fence

import (
	"context"
	"sync"
)

// gate lets writers through, or all of them wait.
type gate struct {
	mutex  sync.Mutex
	inside int
	// opened is closed when the gate opens; nil while it is open.
	opened chan struct{}
	// empty is closed when nobody is inside any more; nil while nobody waits for that.
	empty chan struct{}
}

func newGate() *gate { return &gate{} }

// enter waits for the gate to be open. Who entered has to leave.
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

// again is for who is inside: while that lasts, nobody waits for the gate to be empty in vain.
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

// shut lets nobody in, and waits until nobody is inside. After an error it is open.
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
