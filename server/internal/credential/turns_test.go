package credential

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"container-registry/server/internal/clientaddress"
	"container-registry/server/internal/poll"
)

// TestAddressesTakeTurns has many guesses from one address wait before a neighbour's login.
func TestAddressesTakeTurns(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder", "bob": "builder"})
	v := New(100, time.Hour, unlimited())
	v.turns.queue = 16
	v.occupy(t)
	guesses := make(chan error, v.turns.queue)
	for i := range v.turns.queue {
		go func() { guesses <- v.try(t.Context(), users, here, "alice", fmt.Sprint(i)) }()
	}
	poll.Until(t, "a full queue", func() bool { return v.waiting() == v.turns.queue })
	neighbour := make(chan error, 1)
	go func() { neighbour <- v.try(t.Context(), users, clientaddress.Network("192.0.2.3:1"), "bob", "builder") }()
	poll.Until(t, "one too many", func() bool { return len(guesses)+len(neighbour) == 1 })
	v.turns.give()
	if err := <-neighbour; err != nil {
		t.Errorf("the neighbour: %v", err)
	}
	refused := 0
	for range v.turns.queue {
		if err := <-guesses; err == errBusy {
			refused++
		} else if err != ErrWrong {
			t.Errorf("a guess: %v", err)
		}
	}
	if refused != 1 {
		t.Errorf("%d guesses were refused", refused)
	}
}

func TestTurns(t *testing.T) {
	turns := turns{queue: 6}
	var mu sync.Mutex
	var order []string
	var all sync.WaitGroup
	wait := func(address string) {
		waiting := func() int {
			turns.mu.Lock()
			defer turns.mu.Unlock()
			return turns.waiting
		}
		before := waiting()
		all.Go(func() {
			if turns.take(t.Context(), netip.MustParsePrefix(address+"/32")) {
				mu.Lock()
				order = append(order, address)
				mu.Unlock()
				turns.give()
			}
		})
		poll.Until(t, "one more that waits", func() bool { return waiting() == before+1 })
	}
	for _, address := range []string{"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.2", "10.0.0.3"} {
		wait(address)
	}
	if turns.take(t.Context(), netip.MustParsePrefix("10.0.0.1/32")) || turns.take(t.Context(), netip.MustParsePrefix("10.0.0.2/32")) {
		t.Error("there was a place in a full queue for who has as many")
	}
	turns.give()
	all.Wait()
	if want := []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.2", "10.0.0.1"}; !slices.Equal(order, want) {
		t.Errorf("served %v", order)
	}
	if turns.free != 1 || turns.waiting != 0 || len(turns.lines) != 0 {
		t.Errorf("left %d places, %d that wait, %d lines", turns.free, turns.waiting, len(turns.lines))
	}
}

// TestLeaving has many leave while places are given.
func TestLeaving(t *testing.T) {
	turns := turns{queue: 8, free: 1}
	var all sync.WaitGroup
	for i := range 16 {
		address := netip.MustParsePrefix(fmt.Sprintf("10.0.0.%d/32", i%5))
		all.Go(func() {
			for step := range 500 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(step%20)*time.Microsecond)
				if turns.take(ctx, address) {
					runtime.Gosched()
					turns.give()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if turns.free != 1 || turns.waiting != 0 || len(turns.lines) != 0 {
		t.Errorf("left %d places, %d that wait, %d lines", turns.free, turns.waiting, len(turns.lines))
	}
}
