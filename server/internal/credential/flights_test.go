package credential

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"container-registry/server/internal/attempts"
	"container-registry/server/internal/clientaddress"
	"container-registry/server/internal/poll"
)

// TestNobodyWaits has the clients of guesses hang up before their turn.
func TestNobodyWaits(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, attempts.New(1, time.Hour))
	v.turns.queue = 16
	v.occupy(t)
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range v.turns.queue {
		address := clientaddress.Network(fmt.Sprintf("192.0.2.%d:1", i/2))
		clients.Go(func() { _ = v.try(ctx, users, address, "alice", fmt.Sprint(i)) })
	}
	poll.Until(t, "a full queue", func() bool { return v.waiting() == v.turns.queue })
	cancel()
	clients.Wait()
	poll.Until(t, "an empty queue", func() bool { return v.waiting() == 0 })
	v.turns.give()
	if len(v.turns.lines) != 0 {
		t.Errorf("left %d lines", len(v.turns.lines))
	}
	for i := range v.turns.queue {
		if v.failures.Refused(clientaddress.Network(fmt.Sprintf("192.0.2.%d:1", i/2)), "alice", time.Now()) != 0 {
			t.Fatalf("guess %d was checked", i)
		}
	}
}

// TestTurnOfNobody has the client gone in the moment in which its turn comes.
func TestTurnOfNobody(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, attempts.New(1, time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	places := v.turns.free
	if _, err := v.check(ctx, users, here, key{}, "alice", "guess"); err != context.Canceled || v.failures.Refused(here, "alice", time.Now()) != 0 {
		t.Errorf("it was checked: %v", err)
	}
	if v.turns.free != places {
		t.Errorf("%d places are free of %d", v.turns.free, places)
	}
}

// TestAskedAgain has clients come with the same credential while others give it up.
func TestAskedAgain(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(0, 0, unlimited())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for step := range 200 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(step*i)*time.Microsecond)
				if err := v.try(ctx, users, here, "alice", "wonder"); err != nil && err != ctx.Err() {
					t.Errorf("who has left: %v", err)
				}
				cancel()
				if err := v.try(t.Context(), users, here, "alice", "wonder"); err != nil {
					t.Errorf("who has come: %v", err)
				}
			}
		})
	}
	clients.Wait()
	if len(v.flights.all) != 0 {
		t.Errorf("%d checks are left", len(v.flights.all))
	}
}
