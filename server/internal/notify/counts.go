package notify

import "maps"

// The outcomes of sending an envelope, and the reasons for dropping one.
const (
	taken   = "taken"
	failed  = "failed"
	refused = "refused"
	old     = "old"
	tooMany = "too-many"
	unkept  = "not-kept"
)

// Counts tell what became of the events for an endpoint since the start of the server. Events
// are counted in the envelopes that they are sent in.
type Counts struct {
	Endpoint string
	Waiting  int
	// Sent counts the envelopes that were sent, by the outcome; Dropped counts those that the
	// endpoint will not get, by the reason.
	Sent, Dropped map[string]int64
}

// Counts returns the counts of all endpoints.
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
