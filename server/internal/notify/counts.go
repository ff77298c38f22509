package notify

import "maps"

// What may come of sending, and why an envelope is dropped.
const (
	taken   = "taken"
	failed  = "failed"
	refused = "refused"
	old     = "old"
	tooMany = "too-many"
	unkept  = "not-kept"
)

// Counts are what became of the events for an endpoint since the start of the server. They
// are counted as they are sent, in envelopes.
type Counts struct {
	Endpoint string
	Waiting  int
	// Sent are those that were sent, by what came of it, Dropped those that it will not get, by
	// the reason.
	Sent, Dropped map[string]int64
}

// Counts are those of all endpoints.
func (s *Sender) Counts() []Counts {
	var all []Counts
	for _, e := range s.endpoints {
		e.mu.Lock()
		all = append(all, Counts{e.Name, e.queue.length(), maps.Clone(e.sent), maps.Clone(e.dropped)})
		e.mu.Unlock()
	}
	return all
}

func (e *endpoint) count(counts map[string]int64, what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	counts[what]++
}
