package heavy

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fair"
)

// answers are long ones that are ready, and the room that they have until their clients have taken them.
// Clients may take theirs slowly for as long as none that has less waits for room.
type answers struct {
	*fair.Room

	mu sync.Mutex
	// due is until when the client of an answer is not slow.
	due map[*request]time.Time
}

func newAnswers(most, share int64) *answers {
	return &answers{Room: fair.NewRoom(most, share), due: map[*request]time.Time{}}
}

// begin has an answer wait for room.
func (a *answers) begin(ctx context.Context, q *request, length int64) error {
	amount := min(length, a.Share())
	for _, slow := range a.slow(q.sender(), amount) {
		bounds.Drop(slow.ResponseWriter)
	}
	if err := a.Take(ctx, q.sender(), amount); err != nil {
		return err
	}
	q.taken = amount
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due[q] = time.Now().Add(allowed(amount))
	return nil
}

// end is also for answers that had no room.
func (a *answers) end(q *request) {
	a.mu.Lock()
	delete(a.due, q)
	a.mu.Unlock()
	a.Give(q.sender(), q.taken)
}

// slow are those that make room for so much, the slowest first. They are nobody else's to end.
func (a *answers) slow(newcomer fair.Client, amount int64) (slow []*request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	missing, now := a.Missing(amount), time.Now()
	for _, q := range slices.SortedFunc(maps.Keys(a.due), func(one, other *request) int {
		return a.due[one].Compare(a.due[other])
	}) {
		if missing <= 0 || now.Before(a.due[q]) {
			break
		}
		if a.Of(q.sender()) > a.Of(newcomer) {
			missing -= q.taken
			slow = append(slow, q)
			delete(a.due, q)
		}
	}
	return slow
}
