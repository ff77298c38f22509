package bounds

import (
	"container/heap"
	"container/list"
	"net/netip"
)

// waiting are the connections that wait for their clients to ask something, by the networks these are
// in. The first to go is of the network that has most of them, and began to wait before its others: who
// opens connections takes places from nobody who has fewer, however fast it does. Where all have as
// many it is who began to wait first of all.
type waiting struct {
	lines map[netip.Prefix]*line
	order order
	begun uint64
}

// line is of one network: *connection, the one that began to wait first in front.
type line struct {
	list.List
	network netip.Prefix
	// at is its place in the order.
	at int
}

func newWaiting() *waiting { return &waiting{lines: map[netip.Prefix]*line{}} }

// first is of at least one that waits.
func (w *waiting) first() *connection { return w.order[0].first() }

func (l *line) first() *connection { return l.Front().Value.(*connection) }

// add is for who begins to wait.
func (w *waiting) add(c *connection) {
	w.begun++
	c.began = w.begun
	own := w.lines[c.network]
	if own == nil {
		own = &line{network: c.network}
		w.lines[c.network] = own
	}
	c.place = own.PushBack(c)
	if own.Len() == 1 {
		heap.Push(&w.order, own)
	} else {
		heap.Fix(&w.order, own.at)
	}
}

// remove is also for who does not wait.
func (w *waiting) remove(c *connection) {
	if c.place == nil {
		return
	}
	own := w.lines[c.network]
	own.Remove(c.place)
	c.place = nil
	if own.Len() > 0 {
		heap.Fix(&w.order, own.at)
		return
	}
	heap.Remove(&w.order, own.at)
	delete(w.lines, c.network)
}

// move is for who turns out to be in another network.
func (w *waiting) move(c *connection, network netip.Prefix) {
	waits := c.place != nil
	w.remove(c)
	c.network = network
	if waits {
		w.add(c)
	}
}

// order is a heap of lines.
type order []*line

func (o order) Len() int { return len(o) }

func (o order) Less(a, b int) bool {
	if long, other := o[a].Len(), o[b].Len(); long != other {
		return long > other
	}
	return o[a].first().began < o[b].first().began
}

func (o order) Swap(a, b int) {
	o[a], o[b] = o[b], o[a]
	o[a].at, o[b].at = a, b
}

func (o *order) Push(added any) {
	own := added.(*line)
	own.at = len(*o)
	*o = append(*o, own)
}

func (o *order) Pop() any {
	last := len(*o) - 1
	own := (*o)[last]
	*o = (*o)[:last]
	return own
}
