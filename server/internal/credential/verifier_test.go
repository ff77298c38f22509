package credential

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/attempts"
	"container-registry/server/internal/clientaddress"
	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/poll"
)

var (
	here  = clientaddress.Network("192.0.2.1:1")
	there = clientaddress.Network("192.0.2.2:1")
)

func usersOf(t testing.TB, passwords map[string]string) *htpasswd.Users {
	t.Helper()
	var lines []string
	for name, password := range passwords {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, name+":"+string(hash))
	}
	users, err := htpasswd.Parse([]byte(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return users
}

// occupy leaves one place to give, and none free, so that everybody has to wait.
func (v *Verifier) occupy(t *testing.T) {
	t.Helper()
	for v.turns.free > 0 {
		v.turns.take(t.Context(), there)
	}
}

func (v *Verifier) waiting() int {
	v.turns.mu.Lock()
	defer v.turns.mu.Unlock()
	return v.turns.waiting
}

func (v *Verifier) try(ctx context.Context, users *htpasswd.Users, address netip.Prefix, name, password string) error {
	_, err := v.Verify(ctx, users, address, name, password)
	return err
}

func unlimited() *attempts.Limiter { return attempts.New(0, time.Minute) }

func TestVerify(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder", "bob": "builder"})
	v := New(100, time.Minute, unlimited())
	for range 2 { // the second time from memory
		for _, test := range []struct {
			name, password string
			want           error
		}{
			{"alice", "wonder", nil},
			{"bob", "builder", nil},
			{"alice", "builder", ErrWrong},
			{"alice", "", ErrWrong},
			{"nobody", "wonder", ErrWrong},
			{"alicew", "onder", ErrWrong}, // the same letters, divided elsewhere
			{"", "alicewonder", ErrWrong},
		} {
			found, err := v.Verify(t.Context(), users, here, test.name, test.password)
			if err != test.want || users.Holds(test.name, found) != (err == nil) {
				t.Errorf("%s:%s: %v", test.name, test.password, err)
			}
		}
	}
}

func TestRemovedUserIsRefusedAtOnce(t *testing.T) {
	v := New(100, time.Hour, unlimited())
	first := usersOf(t, map[string]string{"alice": "wonder", "bob": "builder"})
	second := usersOf(t, map[string]string{"alice": "changed"})
	for _, step := range []struct {
		users          *htpasswd.Users
		name, password string
		want           error
	}{
		{first, "alice", "wonder", nil},
		{first, "bob", "builder", nil},
		{second, "bob", "builder", ErrWrong},
		{second, "alice", "wonder", ErrWrong},
		{second, "alice", "changed", nil},
		{first, "alice", "changed", ErrWrong},
	} {
		if err := v.try(t.Context(), step.users, here, step.name, step.password); err != step.want {
			t.Errorf("%s:%s: %v, want %v", step.name, step.password, err, step.want)
		}
	}
}

func TestLimit(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder", "bob": "builder", "carol": "singer"})
	v := New(100, time.Hour, attempts.New(3, time.Hour))
	verify := func(address netip.Prefix, name, password string) error {
		return v.try(t.Context(), users, address, name, password)
	}
	if err := verify(here, "alice", "wonder"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := verify(here, "alice", fmt.Sprint(i)); err != ErrWrong {
			t.Fatal(err)
		}
		if err := verify(here, "bob", fmt.Sprint(i)); err != ErrWrong {
			t.Fatal(err)
		}
	}
	var refused *Refused
	if err := verify(here, "bob", "builder"); !errors.As(err, &refused) || refused.Wait > time.Hour || refused.Wait < 59*time.Minute {
		t.Errorf("a blocked name: %v", err)
	}
	if err := verify(here, "carol", "singer"); err != nil {
		t.Errorf("another name: %v", err)
	}
	if err := verify(here, "alice", "wonder"); err != nil {
		t.Errorf("a credential that was right before, with a blocked name: %v", err)
	}
	if err := verify(there, "bob", "builder"); err != nil {
		t.Errorf("another address: %v", err)
	}
	if err := verify(here, "bob", "builder"); err != nil {
		t.Errorf("now known, from the blocked address: %v", err)
	}
}

// TestGuessesInParallel sends more guesses at once than are allowed one by one.
func TestGuessesInParallel(t *testing.T) {
	const limit = 5
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, attempts.New(limit, time.Hour))
	slots := v.turns.free
	var wrong, refused atomic.Int32
	var clients sync.WaitGroup
	for i := range 200 {
		clients.Go(func() {
			switch err := v.try(t.Context(), users, here, "alice", fmt.Sprint(i)); {
			case err == ErrWrong:
				wrong.Add(1)
			case errors.As(err, new(*Refused)):
				refused.Add(1)
			default:
				t.Errorf("guess %d: %v", i, err)
			}
		})
	}
	clients.Wait()
	if n := wrong.Load(); n < limit || int(n) > limit+slots {
		t.Errorf("%d guesses were checked, want %d", n, limit)
	}
}

// TestOneCheckForAll counts checks by the failures they record.
func TestOneCheckForAll(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, attempts.New(1000, time.Hour))
	v.occupy(t)
	var clients sync.WaitGroup
	var wrong atomic.Int32
	for range 50 {
		clients.Go(func() {
			if v.try(t.Context(), users, here, "alice", "same guess") == ErrWrong {
				wrong.Add(1)
			}
		})
	}
	poll.Until(t, "the check to wait", func() bool { return v.waiting() == 1 })
	v.turns.give()
	clients.Wait()
	if wrong.Load() != 50 {
		t.Errorf("%d of 50 were refused", wrong.Load())
	}
	if v.failures.Refused(here, "alice", time.Now()) != 0 {
		t.Error("every client was counted")
	}
}

func TestQueueIsBounded(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, unlimited())
	v.turns.queue = 16
	v.occupy(t)
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range v.turns.queue {
		clients.Go(func() { _ = v.try(ctx, users, here, "alice", fmt.Sprint(i)) })
	}
	poll.Until(t, "a full queue", func() bool { return v.waiting() == v.turns.queue })
	if err := v.try(t.Context(), users, here, "alice", "wonder"); err != errBusy {
		t.Errorf("got %v", err)
	}
	// Whoever gives up does not wait for the others.
	cancel()
	clients.Wait()
	v.turns.give()
	poll.Until(t, "the queue to empty", func() bool { return v.waiting() == 0 })
	if err := v.try(t.Context(), users, here, "alice", "wonder"); err != nil {
		t.Error(err)
	}
}

// TestLeaderGone cancels the client whose check others wait for.
func TestLeaderGone(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, unlimited())
	v.occupy(t)
	ctx, cancel := context.WithCancel(t.Context())
	leader, follower := make(chan error, 1), make(chan error, 1)
	go func() { leader <- v.try(ctx, users, here, "alice", "wonder") }()
	poll.Until(t, "the check to wait", func() bool { return v.waiting() == 1 })
	go func() { follower <- v.try(t.Context(), users, here, "alice", "wonder") }()
	cancel()
	if err := <-leader; err != context.Canceled {
		t.Errorf("leader: %v", err)
	}
	v.turns.give()
	if err := <-follower; err != nil {
		t.Errorf("follower: %v", err)
	}
}

// TestCacheModel compares the cache with a plain one over random operations.
func TestCacheModel(t *testing.T) {
	const size, ttl = 8, 10 * time.Second
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		c, now := newCache(size, ttl), time.Now()
		type known struct {
			key  key
			end  time.Time
			used int
		}
		var model []known
		var state byte
		for step := range 300 {
			k := key{byte(random.IntN(20))}
			find := -1
			for i, entry := range model {
				if entry.key == k {
					find = i
				}
			}
			switch random.IntN(20) {
			case 0:
				now = now.Add(time.Duration(random.IntN(8)) * time.Second)
			case 1:
				// A change shows with the next question.
				state++
				model = nil
				if _, ok := c.holds([32]byte{state}, k, now); ok {
					t.Fatalf("seed %d, step %d: a credential outlived the users", seed, step)
				}
			case 2:
				c.add([32]byte{state - 1}, k, "", now) // a check that took too long
			case 3, 4, 5, 6, 7, 8:
				c.add([32]byte{state}, k, "", now)
				if state == 0 {
					// The cache starts with this state.
					c.holds([32]byte{state}, key{255}, now)
				}
				if find >= 0 {
					model = append(model[:find], model[find+1:]...)
				}
				if len(model) == size {
					oldest := 0
					for i, entry := range model {
						if entry.used < model[oldest].used {
							oldest = i
						}
					}
					model = append(model[:oldest], model[oldest+1:]...)
				}
				model = append(model, known{k, now.Add(ttl), step})
			default:
				want := find >= 0 && now.Before(model[find].end)
				if _, got := c.holds([32]byte{state}, k, now); got != want {
					t.Fatalf("seed %d, step %d: holds is %v, want %v", seed, step, got, want)
				}
				switch {
				case want:
					model[find].used = step
					model[find].end = now.Add(ttl)
				case find >= 0:
					model = append(model[:find], model[find+1:]...)
				}
			}
			if c.entries.Len() != len(model) || len(model) > size {
				t.Fatalf("seed %d, step %d: %d entries, want %d", seed, step, c.entries.Len(), len(model))
			}
		}
	}
}

// TestNeverWrong runs clients against users that change all the time. A right answer
// must never be given for a password that no state of that moment had.
func TestNeverWrong(t *testing.T) {
	states := []*htpasswd.Users{
		usersOf(t, map[string]string{"alice": "a0", "bob": "b0"}),
		usersOf(t, map[string]string{"alice": "a1", "bob": "b0"}),
		usersOf(t, map[string]string{"alice": "a0"}),
	}
	right := []map[string]bool{{"alice:a0": true, "bob:b0": true}, {"alice:a1": true, "bob:b0": true}, {"alice:a0": true}}
	v := New(2, 20*time.Millisecond, unlimited())
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 1))
			for range 25 {
				state := random.IntN(len(states))
				name := []string{"alice", "bob", "eve"}[random.IntN(3)]
				password := []string{"a0", "a1", "b0"}[random.IntN(3)]
				err := v.try(t.Context(), states[state], here, name, password)
				if want := right[state][name+":"+password]; (err == nil) != want {
					t.Errorf("state %d, %s:%s: %v", state, name, password, err)
					return
				}
			}
		})
	}
	clients.Wait()
}

func TestOff(t *testing.T) {
	users := usersOf(t, map[string]string{"alice": "wonder"})
	for _, v := range []*Verifier{New(0, time.Hour, unlimited()), New(10, 0, unlimited())} {
		if err := v.try(t.Context(), users, here, "alice", "wonder"); err != nil {
			t.Error(err)
		}
		if v.cache.entries != nil {
			t.Error("something was remembered")
		}
	}
}

// TestKey looks for traces that one key leaves in the next.
func TestKey(t *testing.T) {
	v := New(10, time.Hour, unlimited())
	first := v.key("alice", "wonder")
	if again := v.key("alice", "wonder"); again != first {
		t.Error("a key depends on what was hashed before")
	}
	if other := New(10, time.Hour, unlimited()).key("alice", "wonder"); other == first {
		t.Error("a key is the same in another process")
	}
}

func BenchmarkVerify(b *testing.B) {
	users := usersOf(b, map[string]string{"alice": "wonder"})
	v := New(100, time.Hour, unlimited())
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := v.try(b.Context(), users, here, "alice", "wonder"); err != nil {
				b.Error(err)
			}
		}
	})
}

func TestCacheIsExtendedByUse(t *testing.T) {
	var state [32]byte
	start := time.Now()
	c := newCache(10, 5*time.Minute)
	c.state = state
	used, idle := key{1}, key{2}
	c.add(state, used, "", start)
	c.add(state, idle, "", start)
	now := start
	for ; ; now = now.Add(4 * time.Minute) {
		if _, ok := c.holds(state, used, now); !ok {
			break
		}
		if now.Sub(start) > 2*longest {
			t.Fatal("it is never checked again")
		}
	}
	if now.Sub(start) < longest {
		t.Errorf("one in use was forgotten after %s", now.Sub(start))
	}
	if _, ok := c.holds(state, idle, start.Add(5*time.Minute)); ok {
		t.Error("one that nobody used is kept")
	}
}
