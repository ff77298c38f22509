package simulation

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
)

type storageInfo = storagedriver.FileInfo

var (
	seedFlag = flag.Uint64("seed", 0, "the one schedule to run; with -v its trace is told")
	fromFlag = flag.Uint64("from", 1, "the first schedule; 0 takes another one each time")
	forFlag  = flag.Duration("for", 15*time.Second, "how long to search")
)

// profileOf is what the adversary may do in the schedule of a seed.
func profileOf(seed uint64) profile {
	random := rand.New(rand.NewPCG(seed, 1))
	p := profile{servers: 1 + random.IntN(3), slow: 50 * time.Millisecond}
	if random.IntN(3) == 0 {
		p.slow = 3 * time.Second
	}
	switch random.IntN(6) {
	case 0:
		p.failing = 5
	case 1:
		p.suspensions = 4
	case 2:
		p.cuts = 4
	case 3:
		p.kills = 4
	case 4:
		p.failing, p.suspensions, p.cuts, p.kills = 5, 2, 2, 2
	}
	if random.IntN(8) == 0 && p.kills == 0 {
		p.lag = 4 * time.Second
	}
	p.torn = random.IntN(4) == 0
	return p
}

// TestSearch runs schedules until its time is over or something is wrong.
func TestSearch(t *testing.T) {
	engine := newEngine(t)
	if *seedFlag != 0 {
		w := run(t, *seedFlag, engine)
		for _, line := range w.trace {
			t.Log(line)
		}
		if w.problem != "" {
			t.Error(w.problem)
		}
		return
	}
	began := time.Now()
	first := *fromFlag
	if first == 0 {
		first = uint64(began.UnixNano()) % 1_000_000_000
	}
	var pushes, refusals, collections, deletions, schedules int
	for ; time.Since(began) < *forFlag; schedules++ {
		seed := first + uint64(schedules)
		w := run(t, seed, engine)
		pushes, refusals, collections, deletions = pushes+w.pushes, refusals+w.refusals, collections+w.collections, deletions+w.deletions
		if w.problem != "" {
			t.Fatalf("seed %d, %+v, after %d schedules:\n%s\n%s", seed, profileOf(seed), schedules, strings.Join(w.story, "\n"), w.problem)
		}
	}
	t.Logf("%d schedules from seed %d: %d pushes, %d refused, %d collections, %d deletions", schedules, first, pushes, refusals, collections, deletions)
	if pushes == 0 || collections == 0 || deletions == 0 {
		t.Error("nothing happened")
	}
}

func run(t *testing.T, seed uint64, engine http.Handler) (w *world) {
	t.Helper()
	t.Run(fmt.Sprint(seed), func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, seed)
		synctest.Test(t, func(*testing.T) {
			w = newWorld(seed, profileOf(seed), engine)
			w.live()
		})
	})
	return w
}

// TestLateDeletion is carried out only while its holder can't be taken for dead.
func TestLateDeletion(t *testing.T) {
	for slept, carriedOut := range map[time.Duration]bool{9 * time.Second: true, 11 * time.Second: false} {
		t.Run(slept.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStore(1, profile{slow: time.Millisecond}, 10*time.Second)
				m := newMachine(s, "a")
				if err := m.PutContent(t.Context(), "/any", nil); err != nil {
					t.Fatal(err)
				}
				m.suspend(slept)
				if err := m.Delete(t.Context(), "/any"); err != nil || s.exists("/any") == carriedOut {
					t.Error(err, carriedOut)
				}
			})
		})
	}
}

// TestCancelledRequest is stopped on its way, unless the machine has just woken up.
func TestCancelledRequest(t *testing.T) {
	for slept, stopped := range map[time.Duration]bool{0: true, time.Second: false} {
		t.Run(slept.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(newStore(1, profile{slow: time.Millisecond}, 10*time.Second), "a")
				if slept > 0 {
					m.suspend(slept)
					time.Sleep(slept)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := m.travel(ctx, time.Second); (err != nil) != stopped {
					t.Error(err)
				}
			})
		})
	}
}

// live is some minutes of traffic, and what is left after it.
func (w *world) live() {
	until := time.Now().Add(3 * time.Minute)
	var group sync.WaitGroup
	for number := range 4 {
		c := &client{world: w, Rand: rand.New(rand.NewPCG(w.seed, uint64(100+number))), number: number}
		group.Go(func() { c.run(until) })
	}
	for number := range 2 {
		random := rand.New(rand.NewPCG(w.seed, uint64(200+number)))
		group.Go(func() { w.collect(random, until) })
	}
	random := rand.New(rand.NewPCG(w.seed, 300))
	for range w.suspensions + w.cuts + w.kills {
		at, what := time.Duration(random.IntN(180_000))*time.Millisecond, random.IntN(w.suspensions+w.cuts+w.kills)
		victim, d := random.IntN(w.profile.servers), time.Duration(1_000+random.IntN(59_000))*time.Millisecond
		group.Go(func() {
			time.Sleep(at)
			w.strike(victim, what, d)
		})
	}
	group.Wait()
	// All is well again, and nobody counts on anything any more.
	w.profile.failing, w.profile.cuts, w.profile.suspensions, w.profile.kills = 0, 0, 0, 0
	w.profile.slow = min(w.profile.slow, w.timing.Expiry/400)
	w.later.Wait()
	time.Sleep(w.timing.Remember + w.timing.Lag + time.Minute)
	for range 2 {
		w.order(w.servers[0], true)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.checkAll("in the end")
	if left := w.freed(); left != "" {
		w.wrong("in the end %s", left)
	}
	for _, s := range w.servers {
		close(s.killed)
	}
}

// strike does to one server what the adversary wants.
func (w *world) strike(victim, what int, d time.Duration) {
	w.mutex.Lock()
	s := w.servers[victim]
	w.mutex.Unlock()
	switch {
	case what < w.suspensions:
		w.note("%s is suspended for %s", s.name, d)
		s.suspend(d)
	case what < w.suspensions+w.cuts:
		w.note("%s is cut off for %s", s.name, d)
		s.cutOff(d)
	default:
		w.kill(s.machine, d/4)
	}
}

// kill ends a machine. Its successor starts after a while.
func (w *world) kill(m *machine, back time.Duration) {
	w.mutex.Lock()
	if m.isKilled() {
		w.mutex.Unlock()
		return
	}
	close(m.killed)
	w.mutex.Unlock()
	w.note("%s is killed, and comes back after %s", m.name, back)
	time.Sleep(back)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.servers[slices.IndexFunc(w.servers, func(s *server) bool { return s.machine == m })] = w.start(m.name)
}

func (w *world) collect(random *rand.Rand, until time.Time) {
	for time.Now().Before(until) {
		time.Sleep(time.Duration(random.IntN(15_000)) * time.Millisecond)
		w.order(w.server(random), false)
	}
}

// order has a server collect. If must is set, the collection has to succeed.
func (w *world) order(s *server, must bool) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	w.note("%s collects", s.name)
	report, err := s.collector.Collect(ctx, garbage.Request{DeleteUntagged: must}, io.Discard)
	w.note("%s has collected: %v", s.name, err)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if err == nil {
		w.collections++
	}
	// On a slow store, the second of two consecutive requests to renew may come too late.
	renews := 4*w.slow < w.timing.Expiry/2
	if err != nil && (must || w.calm() && renews && !errors.As(err, new(fence.Busy))) {
		w.wrong("the collection of %s failed: %v", s.name, err)
	}
	if w.calm() && err == nil && report.LongestPause > 5*time.Second+w.waits() {
		w.wrong("%s paused writers for %s", s.name, report.LongestPause)
	}
}
