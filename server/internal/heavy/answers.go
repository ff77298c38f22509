package heavy

import (
	"context"
	"maps"
	"slices"
	"time"

	"container-registry/server/internal/bounds"
)

// answers are long ones that are ready, and the room that they have until their clients have taken them.
// Clients may take theirs slowly for as long as none that has less waits for room.
type answers struct {
	*room
	// due is until when the client of an answer is not slow, under the room's lock.
	due map[*request]time.Time
}

func newAnswers(most, share int64) *answers {
	return &answers{newRoom(most, share), map[*request]time.Time{}}
}

// begin has an answer wait for room.
func (a *answers) begin(ctx context.Context, q *request, length int64) error {
	amount := min(length, a.share)
	for _, slow := range a.slow(q.sender, amount) {
		bounds.Drop(slow.ResponseWriter)
	}
	if err := a.take(ctx, q.sender, amount); err != nil {
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
	a.give(q.sender, q.taken)
}

// slow are those that make room for so much, the slowest first. They are nobody else's to end.
func (a *answers) slow(newcomer client, amount int64) (slow []*request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	missing, now := a.taken+amount-a.most, time.Now()
	for _, q := range slices.SortedFunc(maps.Keys(a.due), func(one, other *request) int {
		return a.due[one].Compare(a.due[other])
	}) {
		if missing <= 0 || now.Before(a.due[q]) {
			break
		}
		if a.of[q.sender] > a.of[newcomer] {
			missing -= q.taken
			slow = append(slow, q)
			delete(a.due, q)
		}
	}
	return slow
}
