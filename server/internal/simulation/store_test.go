package simulation

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

var (
	errKilled = errors.New("the machine is gone")
	errFailed = errors.New("the store failed")
)

// profile is what the adversary may do in one schedule.
type profile struct {
	servers int
	// slow is the longest delay of a request. Most delays are far shorter. If slow is short, a few requests
	// take as long as many others together.
	slow time.Duration
	// failing is how many requests of a thousand fail, half of them after they were done.
	failing int
	// lag is how far listings may lag behind.
	lag time.Duration
	// torn lets others read the first half of an object while it is being written.
	torn bool
	// cuts, suspensions and kills are how many of each there are.
	cuts, suspensions, kills int
}

// stall is how many times as long as slow a few requests take.
const stall = 20

// waits is how long a request, or a pause, may wait for the store at most if nothing fails.
func (p profile) waits() time.Duration { return (60 + 6*stall) * p.slow }

// calm says that nothing fails.
func (p profile) calm() bool { return p.failing+p.cuts+p.suspensions+p.kills == 0 }

// store is one store, and all that happens to it.
type store struct {
	storagedriver.StorageDriver
	profile
	seed  uint64
	began time.Time
	// patience is for how long a deletion may be on its way while its machine is suspended.
	// One that arrives later, after its holder was taken for dead, is the one that package
	// fence says it can't catch.
	patience time.Duration
	// deleted is called after each deletion.
	deleted func(path string)
	// later has the requests that go on although nobody waits for them.
	later sync.WaitGroup

	mutex  sync.Mutex
	counts map[string]int
	// since is when each file and folder was created.
	since map[string]time.Time
	trace []string
}

func newStore(seed uint64, p profile, patience time.Duration) *store {
	return &store{
		StorageDriver: inmemory.New(), profile: p, seed: seed, began: time.Now(), patience: patience,
		deleted: func(string) {}, counts: map[string]int{}, since: map[string]time.Time{},
	}
}

func (s *store) note(format string, values ...any) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.trace = append(s.trace, fmt.Sprintf("%9.3f ", time.Since(s.began).Seconds())+fmt.Sprintf(format, values...))
}

// last are the last lines of the trace.
func (s *store) last(n int) []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Clone(s.trace[max(0, len(s.trace)-n):])
}

// draw is a random number that depends on the seed, and on what was asked for and how often, but not on
// the order of goroutines.
func (s *store) draw(n int, what string) int {
	s.mutex.Lock()
	s.counts[what]++
	count := s.counts[what]
	s.mutex.Unlock()
	h := fnv.New64a()
	fmt.Fprint(h, s.seed, what, count)
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return int(x % uint64(n))
}

func (s *store) delay(what string) time.Duration {
	if s.slow < time.Second && s.draw(200, "stall "+what) == 0 {
		return stall * s.slow
	}
	if s.draw(20, "slow "+what) == 0 {
		return time.Duration(s.draw(int(s.slow), "delay "+what))
	}
	return time.Duration(s.draw(int(s.slow/50)+1, "delay "+what))
}

// written notes since when a path and its folders have been there.
func (s *store) written(p string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for ; p != "/" && p != "."; p = path.Dir(p) {
		if _, ok := s.since[p]; !ok {
			s.since[p] = time.Now()
		}
	}
}

func (s *store) exists(p string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, ok := s.since[p]
	return ok
}

func (s *store) gone(p string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for each := range s.since {
		if each == p || strings.HasPrefix(each, p+"/") {
			delete(s.since, each)
		}
	}
}

// listed leaves out what came a moment ago.
func (s *store) listed(paths []string) []string {
	if s.lag == 0 {
		return paths
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.DeleteFunc(paths, func(p string) bool {
		h := fnv.New64a()
		fmt.Fprint(h, s.seed, p)
		return time.Since(s.since[p]) < time.Duration(h.Sum64()%uint64(s.lag))
	})
}

// machine is one server's way to the store.
type machine struct {
	*store
	name string
	// killed is closed when the machine is killed. kill does that, and starts its successor.
	killed chan struct{}
	kill   func()

	state sync.Mutex
	// suspended and cut are until when the machine is suspended and cut off; zero if it is not.
	suspended, cut time.Time
	slept          time.Duration
}

func newMachine(s *store, name string) *machine {
	return &machine{store: s, name: name, killed: make(chan struct{})}
}

func (m *machine) isKilled() bool {
	select {
	case <-m.killed:
		return true
	default:
		return false
	}
}

func (m *machine) clock() time.Duration { return time.Since(m.began) }

// asleep is for how long the machine has been suspended until now, in all.
func (m *machine) asleep() time.Duration {
	m.state.Lock()
	defer m.state.Unlock()
	return m.slept - max(0, time.Until(m.suspended))
}

// suspend stops all that it does.
func (m *machine) suspend(d time.Duration) {
	m.state.Lock()
	defer m.state.Unlock()
	m.slept += d - max(0, time.Until(m.suspended))
	m.suspended = time.Now().Add(d)
}

// cutOff keeps its requests from the store.
func (m *machine) cutOff(d time.Duration) {
	m.state.Lock()
	defer m.state.Unlock()
	m.cut = time.Now().Add(d)
}

func (m *machine) until() (suspended, cut time.Time) {
	m.state.Lock()
	defer m.state.Unlock()
	return m.suspended, m.cut
}

// awake returns when the machine is not suspended.
func (m *machine) awake() error {
	for {
		suspended, _ := m.until()
		if !time.Now().Before(suspended) {
			break
		}
		select {
		case <-time.After(time.Until(suspended)):
		case <-m.killed:
		}
		if m.isKilled() {
			break
		}
	}
	if m.isKilled() {
		return errKilled
	}
	return nil
}

// drowsy is for how long after a suspension nothing is cancelled: the timers of a real machine
// stand still while it is suspended, and go on after that.
const drowsy = 3 * time.Second

// travel is the way of a request or an answer.
func (m *machine) travel(ctx context.Context, delay time.Duration) error {
	arrives := time.Now().Add(delay)
	for {
		cancelled, again := ctx.Done(), (<-chan time.Time)(nil)
		if suspended, _ := m.until(); time.Since(suspended) < drowsy {
			cancelled, again = nil, time.After(time.Until(suspended.Add(drowsy)))
		}
		if _, cut := m.until(); cut.After(arrives) {
			arrives = cut
		}
		if !time.Now().Before(arrives) {
			break
		}
		select {
		case <-time.After(time.Until(arrives)):
		case <-again:
		case <-m.killed:
			return errKilled
		case <-cancelled:
			if err := m.awake(); err != nil {
				return err
			}
			return ctx.Err()
		}
	}
	return m.awake()
}

// short shortens the parts of a path that differ from run to run.
func short(p string) string {
	b, run := make([]byte, 0, len(p)), 0
	for i := range len(p) {
		c := p[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c == '-' {
			run++
		} else {
			run = 0
		}
		if run <= 8 {
			b = append(b, c)
		}
	}
	return string(b)
}

// strike is what the adversary likes best: it hits a machine in the middle of its deletions.
func (m *machine) strike(what string) {
	d := time.Second + time.Duration(m.draw(int(59*time.Second), "for "+what))
	switch {
	case m.cuts > 0 && m.draw(30, "cut "+what) == 0:
		m.note("%s is cut off for %s", m.name, d)
		m.cutOff(d)
	case m.suspensions > 0 && m.draw(30, "suspend "+what) == 0:
		m.note("%s is suspended for %s", m.name, d)
		m.suspend(d)
	case m.kills > 0 && m.draw(30, "kill "+what) == 0:
		m.kill()
	}
}

// collects says whether a request is a collection's deletion, and not the engine's.
func collects(ctx context.Context, action string) bool {
	return action == "delete" && ctx.Value(machineKey{}) == nil
}

// carryOut may carry out later a deletion to which the collection gets no answer, while its holder can't yet
// be taken for dead.
func (m *machine) carryOut(ctx context.Context, action, what string, op func() error) {
	if !collects(ctx, action) || m.draw(2, "sent "+what) == 0 {
		return
	}
	m.later.Go(func() {
		time.Sleep(time.Duration(m.draw(int(m.patience*9/10), "later "+what)))
		m.note("%s, to which there was no answer: %v", what, op())
	})
}

// do has a request travel and be carried out, and its answer travel back.
func (m *machine) do(ctx context.Context, action, p string, op func() error) error {
	what := m.name + " " + action + " " + short(p)
	there, back := m.delay(what), m.delay(what)
	failing := m.failing
	if collects(ctx, action) {
		failing *= 10
	}
	fails := failing > 0 && m.draw(1000, "fail "+what) < failing
	late := fails && m.draw(2, "late "+what) == 0
	if action == "delete" && strings.HasPrefix(p, "/docker") && !strings.Contains(p, "_uploads") {
		m.strike(what)
	}
	op = m.inTime(action, what, op)
	if err := m.travel(ctx, there); err != nil {
		m.carryOut(ctx, action, what, op)
		return err
	}
	if fails && !late {
		m.note("%s fails", what)
		m.carryOut(ctx, action, what, op)
		return errFailed
	}
	err := op()
	m.note("%s: %v", what, err)
	if err := m.travel(ctx, back); err != nil {
		return err
	}
	if late {
		m.note("%s is done, but fails", what)
		return errFailed
	}
	return err
}

// inTime loses a deletion that is on its way for too long because the machine is suspended.
// The machine goes on as if it had been carried out.
func (m *machine) inTime(action, what string, op func() error) func() error {
	begun := time.Now()
	return func() error {
		suspended, _ := m.until()
		if took := time.Since(begun); action == "delete" && suspended.After(begun) && took > m.patience {
			m.note("%s is lost after %s", what, took)
			return nil
		}
		return op()
	}
}

func (m *machine) GetContent(ctx context.Context, p string) (content []byte, err error) {
	return content, m.do(ctx, "get", p, func() (err error) {
		content, err = m.StorageDriver.GetContent(context.Background(), p)
		return err
	})
}

func (m *machine) PutContent(ctx context.Context, p string, content []byte) error {
	if m.torn && strings.HasPrefix(p, "/container-registry-collection/holder") {
		if err := m.put(ctx, p, content[:len(content)/2]); err != nil {
			return err
		}
		time.Sleep(time.Duration(m.draw(int(2*time.Second), "torn "+m.name)))
	}
	return m.put(ctx, p, content)
}

func (m *machine) put(ctx context.Context, p string, content []byte) error {
	return m.do(ctx, "put", p, func() error {
		m.written(p)
		return m.StorageDriver.PutContent(context.Background(), p, content)
	})
}

func (m *machine) Stat(ctx context.Context, p string) (info storagedriver.FileInfo, err error) {
	return info, m.do(ctx, "stat", p, func() (err error) {
		info, err = m.StorageDriver.Stat(context.Background(), p)
		return err
	})
}

func (m *machine) List(ctx context.Context, p string) (paths []string, err error) {
	return paths, m.do(ctx, "list", p, func() (err error) {
		paths, err = m.StorageDriver.List(context.Background(), p)
		slices.Sort(paths)
		paths = m.listed(paths)
		return err
	})
}

func (m *machine) Move(ctx context.Context, from, to string) error {
	return m.do(ctx, "move", to, func() error {
		m.written(to)
		return m.StorageDriver.Move(context.Background(), from, to)
	})
}

func (m *machine) Delete(ctx context.Context, p string) error {
	return m.do(ctx, "delete", p, func() error {
		err := m.StorageDriver.Delete(context.Background(), p)
		if err == nil {
			m.gone(p)
			m.deleted(p)
		}
		return err
	})
}

func (m *machine) Reader(ctx context.Context, p string, offset int64) (reader io.ReadCloser, err error) {
	return reader, m.do(ctx, "read", p, func() (err error) {
		reader, err = m.StorageDriver.Reader(context.Background(), p, offset)
		return err
	})
}

func (m *machine) Writer(ctx context.Context, p string, again bool) (writer storagedriver.FileWriter, err error) {
	return writer, m.do(ctx, "write", p, func() (err error) {
		m.written(p)
		writer, err = m.StorageDriver.Writer(context.Background(), p, again)
		return err
	})
}

// byRequest is the engine's driver. It finds the machine in the request, so that one engine can
// serve many schedules.
type byRequest struct{ storagedriver.StorageDriver }

func (byRequest) RedirectURL(*http.Request, string) (string, error) { return "", nil }

type machineKey struct{}

func of(ctx context.Context) storagedriver.StorageDriver {
	return ctx.Value(machineKey{}).(*machine)
}

func (byRequest) Name() string { return "simulation" }
func (byRequest) GetContent(ctx context.Context, p string) ([]byte, error) {
	return of(ctx).GetContent(ctx, p)
}
func (byRequest) PutContent(ctx context.Context, p string, content []byte) error {
	return of(ctx).PutContent(ctx, p, content)
}
func (byRequest) Stat(ctx context.Context, p string) (storagedriver.FileInfo, error) {
	return of(ctx).Stat(ctx, p)
}
func (byRequest) List(ctx context.Context, p string) ([]string, error) { return of(ctx).List(ctx, p) }
func (byRequest) Move(ctx context.Context, from, to string) error {
	return of(ctx).Move(ctx, from, to)
}
func (byRequest) Delete(ctx context.Context, p string) error { return of(ctx).Delete(ctx, p) }
func (byRequest) Reader(ctx context.Context, p string, offset int64) (io.ReadCloser, error) {
	return of(ctx).Reader(ctx, p, offset)
}
func (byRequest) Writer(ctx context.Context, p string, again bool) (storagedriver.FileWriter, error) {
	return of(ctx).Writer(ctx, p, again)
}
