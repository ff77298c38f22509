package fair

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTurns has clients wait for two places of which each may have one. Letters are clients.
func TestTurns(t *testing.T) {
	for _, test := range []struct {
		name, asks string
		// inside is who has a place, and served in which order all of them had one.
		inside, served string
	}{
		{"one client", "aaa", "a", "aaa"},
		{"two", "ab", "ab", "ab"},
		{"one more behind a client's many", "aaaaab", "ab", "abaaaa"},
		{"two more behind two clients' many", "aaaabbbbcd", "ab", "ababcdabab"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				room, leave := NewRoom(2, 1), make(chan struct{})
				var mu sync.Mutex
				var served []byte
				var asked sync.WaitGroup
				for n := range test.asks {
					who := Client{user: test.asks[n : n+1]}
					asked.Go(func() {
						if err := room.Take(t.Context(), who, 1); err != nil {
							t.Error(err)
						}
						mu.Lock()
						served = append(served, test.asks[n])
						mu.Unlock()
						<-leave
						room.Give(who, 1)
					})
					synctest.Wait()
				}
				if string(served) != test.inside {
					t.Errorf("%s have a place, want %s", served, test.inside)
				}
				for range test.asks {
					leave <- struct{}{}
					synctest.Wait()
				}
				asked.Wait()
				if string(served) != test.served {
					t.Errorf("%s, want %s", served, test.served)
				}
				if room.taken != 0 || len(room.of) != 0 || len(room.line) != 0 {
					t.Errorf("left: %d of %v, %v", room.taken, room.of, room.line)
				}
			})
		})
	}
}

// TestLeastFirst has a client come that has nothing, behind one that has some.
func TestLeastFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room, served := NewRoom(4, 3), make(chan string, 2)
		for _, who := range []string{"a", "a", "b", "b"} {
			if err := room.Take(t.Context(), Client{user: who}, 1); err != nil {
				t.Fatal(err)
			}
		}
		for _, who := range []string{"a", "c"} {
			go func() {
				if err := room.Take(t.Context(), Client{user: who}, 1); err == nil {
					served <- who
				}
			}()
			synctest.Wait()
		}
		room.Give(Client{user: "b"}, 1)
		if who := <-served; who != "c" {
			t.Errorf("%s was first", who)
		}
		room.Give(Client{user: "b"}, 1)
		<-served
	})
}

// TestRoomForLongOnes is not taken by short ones that come later, and who no longer waits for it keeps
// nobody waiting.
func TestRoomForLongOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room, ctx := NewRoom(10, 5), t.Context()
		for _, who := range []string{"a", "b"} {
			if err := room.Take(ctx, Client{user: who}, 4); err != nil {
				t.Fatal(err)
			}
		}
		why := errors.New("waited long enough")
		waiting, cancel := context.WithTimeoutCause(ctx, 2*time.Second, why)
		defer cancel()
		long, short := make(chan error, 1), make(chan error, 1)
		go func() { long <- room.Take(waiting, Client{user: "c"}, 5) }()
		synctest.Wait()
		go func() { short <- room.Take(ctx, Client{user: "d"}, 2) }()
		synctest.Wait()
		if len(short) != 0 {
			t.Error("a short one has overtaken the long one")
		}
		if err := <-long; !errors.Is(err, why) {
			t.Error(err)
		}
		if err := <-short; err != nil {
			t.Error(err)
		}
	})
}
