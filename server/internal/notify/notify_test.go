package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/notifications"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/config"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/wait"
	"container-registry/server/internal/writes"
)

var before, now = digest.FromString("before"), digest.FromString("now")

func push(tags ...string) writes.Write {
	w := writes.Write{Time: time.Now(), Action: writes.Push, Kind: writes.Manifest, Repository: "team/app", Digest: now, Size: 2,
		MediaType: "m", User: "alice", Address: "192.0.2.1:5", UserAgent: "docker/29"}
	for _, tag := range tags {
		w.Tags = append(w.Tags, writes.TagChange{Name: tag, From: before})
	}
	return w
}

// receiver is an endpoint's other end.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []notifications.Event
	// answer replaces the usual answer if it is set.
	answer func(http.ResponseWriter, *http.Request)
}

func listen(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answer != nil {
		r.answer(w, q)
		return
	}
	var c content
	if err := json.NewDecoder(q.Body).Decode(&c); err != nil || q.Header.Get("Content-Type") != notifications.EventsMediaType {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.got = append(r.got, c.Events...)
}

func (r *receiver) answers(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *receiver) events() []notifications.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// raw answers with the given bytes, and keeps the connection until the client ends it.
func raw(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// run starts a sender, and returns a function that stops it and waits for its end.
func run(t *testing.T, s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func sender(driver storagedriver.StorageDriver, out io.Writer, endpoints ...config.Notification) *Sender {
	log := logrus.New()
	log.SetOutput(out)
	return New(endpoints, driver, configuration.HTTP{}, logrus.NewEntry(log))
}

func kept(t *testing.T, driver storagedriver.StorageDriver, endpoint string) []string {
	t.Helper()
	names, err := layout.Names(t.Context(), driver, folderOf(endpoint))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestEvents(t *testing.T) {
	s := sourceOf(configuration.HTTP{Host: "https://registry.example.com/", Prefix: "/p/"})
	got := s.eventsOf(push("1", "2"))
	if len(got) != 2 || got[0].ID == got[1].ID || got[0].Request.ID != got[1].Request.ID {
		t.Fatalf("%+v", got)
	}
	one := got[1]
	if one.Action != "push" || one.Target.Repository != "team/app" || one.Target.Tag != "2" || one.Target.Digest != now || one.Target.Size != 2 ||
		one.Target.URL != "https://registry.example.com/p/v2/team/app/manifests/"+now.String() || one.Actor.Name != "alice" || one.Request.Method != "PUT" {
		t.Errorf("%+v", one)
	}
	told := func(w writes.Write) (list []string) {
		for _, e := range s.eventsOf(w) {
			list = append(list, fmt.Sprint(e.Action, " ", e.Target.Tag, " ", e.Target.Digest))
		}
		return list
	}
	deleted := writes.Write{Action: writes.Delete, Kind: writes.Manifest, Digest: before, Tags: []writes.TagChange{{Name: "1"}, {Name: "2"}}}
	untagged := writes.Write{Action: writes.Delete, Kind: writes.Tag, Tags: []writes.TagChange{{Name: "1"}}}
	for name, test := range map[string]struct {
		write writes.Write
		want  []string
	}{
		"a manifest without a tag":     {push(), []string{"push  " + now.String()}},
		"a manifest that goes":         {deleted, []string{"delete  " + before.String(), "delete 1 ", "delete 2 "}},
		"a tag that goes":              {untagged, []string{"delete 1 "}},
		"a blob, which is no news yet": {writes.Write{Action: writes.Push, Kind: writes.Blob}, nil},
	} {
		if got := told(test.write); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestWants(t *testing.T) {
	for _, test := range []struct {
		actions, repositories []string
		want                  bool
	}{
		{nil, nil, true},
		{[]string{"push"}, nil, true},
		{[]string{"delete"}, nil, false},
		{nil, []string{"other", "team/*"}, true},
		{nil, []string{"team"}, false},
		{nil, []string{"team/app"}, true},
	} {
		if got := wants(config.Notification{Actions: test.actions, Repositories: test.repositories}, "push", "team/app"); got != test.want {
			t.Errorf("%v: %v", test, got)
		}
	}
}

// TestKeptOverRestart has an endpoint that is unavailable while the server stops, and another server
// that goes on.
func TestKeptOverRestart(t *testing.T) {
	driver, r := inmemory.New(), listen(t)
	r.answers(status(http.StatusServiceUnavailable))
	hook := config.Notification{Name: "hook", URL: r.URL}
	first := sender(driver, io.Discard, hook)
	stop := run(t, first)
	first.Observe(t.Context(), push("1"))
	first.Observe(t.Context(), push("2"))
	stop()
	names := kept(t, driver, "hook")
	if len(names) != 2 {
		t.Fatalf("%q", names)
	}
	var want []string
	for _, name := range names {
		raw, err := driver.GetContent(t.Context(), folderOf("hook")+"/"+name)
		var c content
		if err != nil || json.Unmarshal(raw, &c) != nil {
			t.Fatal(err)
		}
		want = append(want, c.Events[0].ID)
	}
	r.answers(nil)
	stop = run(t, sender(driver, io.Discard, hook))
	poll.Until(t, "both events", func() bool { return len(kept(t, driver, "hook")) == 0 })
	stop()
	var got []string
	for _, e := range r.events() {
		got = append(got, e.ID)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOther has an endpoint that takes nothing and one that refuses every event, beside endpoints
// that take them.
func TestOther(t *testing.T) {
	driver, good, away, strict := inmemory.New(), listen(t), listen(t), listen(t)
	away.answers(status(http.StatusInternalServerError))
	strict.answers(status(http.StatusBadRequest))
	s := sender(driver, io.Discard, config.Notification{Name: "good", URL: good.URL}, config.Notification{Name: "away", URL: away.URL},
		config.Notification{Name: "strict", URL: strict.URL}, config.Notification{Name: "deletions", URL: good.URL, Actions: []string{"delete"}})
	run(t, s)
	for i := range 3 {
		s.Observe(t.Context(), push(fmt.Sprint(i)))
	}
	poll.Until(t, "all events", func() bool { return len(good.events()) == 3 && len(kept(t, driver, "strict")) == 0 })
	if got := len(kept(t, driver, "away")); got != 3 {
		t.Errorf("%d wait for the one that is away", got)
	}
	poll.Until(t, "they are counted", func() bool {
		counts := s.Counts()
		return counts[0].Sent[taken] == 3 && counts[1].Waiting == 3 && counts[1].Sent[failed] > 0 && counts[2].Dropped[refused] == 3 && counts[3].Waiting == 0
	})
}

// TestHostile has endpoints that try to hold the server up or to get its secrets.
func TestHostile(t *testing.T) {
	elsewhere := listen(t)
	var leaked sync.Map
	elsewhere.answers(func(_ http.ResponseWriter, q *http.Request) { leaked.Store("header", q.Header.Get("Authorization")) })
	var read atomic.Int64
	const unclear = "no answer that can be understood"
	for name, test := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		taken  bool
		says   string
	}{
		"a redirect": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, elsewhere.URL, http.StatusTemporaryRedirect)
		}, false, "no redirect is followed"},
		"an endless body": {func(w http.ResponseWriter, q *http.Request) {
			for q.Context().Err() == nil {
				n, err := w.Write(make([]byte, 1<<16))
				if err != nil {
					return
				}
				read.Add(int64(n))
			}
		}, true, ""},
		"huge headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Much", strings.Repeat("x", 1<<20))
		}, false, unclear},
		"a connection that breaks": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, "EOF"},
		"another protocol":         {raw("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), false, "the endpoint answers 101"},
		"no HTTP":                  {raw("SSH-2.0-SECRET\r\n"), false, unclear},
		"no header":                {raw("HTTP/1.1 200 OK\r\nSECRET\r\n\r\n"), false, unclear},
		"a redirect to nowhere": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://[::1/SECRET?%zz")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, false, unclear},
	} {
		t.Run(name, func(t *testing.T) {
			var log safeBuffer
			r := httptest.NewServer(http.HandlerFunc(test.answer))
			defer r.Close()
			driver := inmemory.New()
			s := sender(driver, &log, config.Notification{Name: "hook", URL: r.URL + "/SECRET-path?token=SECRET", Headers: map[string]string{"Authorization": "SECRET-header"}})
			run(t, s)
			s.Observe(t.Context(), push("1"))
			if test.taken {
				poll.Until(t, "the event is taken", func() bool { return len(kept(t, driver, "hook")) == 0 })
			} else {
				poll.Until(t, "a complaint", func() bool { return strings.Contains(log.String(), test.says) })
				if len(kept(t, driver, "hook")) != 1 {
					t.Error("the event is not kept")
				}
			}
			if strings.Contains(log.String(), "SECRET") {
				t.Errorf("logged: %s", log.String())
			}
		})
	}
	// Bytes in transit count as well.
	if read.Load() > 64<<20 {
		t.Errorf("%d bytes of the endless body are taken", read.Load())
	}
	if header, asked := leaked.Load("header"); asked {
		t.Errorf("another host was sent %q", header)
	}
}

// TestSlow has an endpoint that never answers: clients that push do not notice.
func TestSlow(t *testing.T) {
	end := make(chan struct{})
	asked := make(chan struct{}, 1)
	r := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		asked <- struct{}{}
		select {
		case <-end:
		case <-q.Context().Done():
		}
	}))
	defer r.Close()
	defer close(end)
	driver := inmemory.New()
	s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: r.URL})
	run(t, s)
	s.Observe(t.Context(), push("1"))
	<-asked
	for i := range 50 {
		s.Observe(t.Context(), push(fmt.Sprint(i)))
	}
	if got := len(kept(t, driver, "hook")); got != 51 {
		t.Errorf("%d are kept", got)
	}
}

// TestBounds has too many events, ones that are too old, and those of an endpoint that is gone.
func TestBounds(t *testing.T) {
	driver, r := inmemory.New(), listen(t)
	r.answers(status(http.StatusInternalServerError))
	s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: r.URL})
	e := s.endpoints[0]
	for i := range mostWaiting + 3 {
		name := time.Unix(int64(i), 0).UTC().Format(timeOfName) + "-x"
		e.enqueue(t.Context(), envelope{name: name})
	}
	if first, _ := e.queue.first(); e.queue.length() != mostWaiting || !strings.HasPrefix(first.name, "19700101T000003") {
		t.Errorf("%d wait, the first is %s", e.queue.length(), first.name)
	}

	aged := time.Now().Add(-mostAge-time.Hour).UTC().Format(timeOfName) + "-x"
	for _, path := range []string{folderOf("hook") + "/" + aged, folderOf("gone") + "/" + aged} {
		if err := driver.PutContent(t.Context(), path, []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	run(t, sender(driver, io.Discard, config.Notification{Name: "hook", URL: r.URL}))
	poll.Until(t, "both are gone", func() bool { return len(kept(t, driver, "hook"))+len(kept(t, driver, "gone")) == 0 })
}

// TestInOrder has a push that is observed after a later one.
func TestInOrder(t *testing.T) {
	driver, r := inmemory.New(), listen(t)
	s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: r.URL})
	run(t, s)
	release := s.HoldBack()
	first, releaseSecond, second := push("1"), s.HoldBack(), push("2")
	s.Observe(t.Context(), second)
	releaseSecond()
	if _, ok := s.endpoints[0].queue.first(); ok || len(kept(t, driver, "hook")) != 1 {
		t.Error("the later one is sent, or is not kept")
	}
	s.Observe(t.Context(), first)
	release()
	poll.Until(t, "both", func() bool { return len(r.events()) == 2 })
	if got := r.events(); got[0].Target.Tag != "1" || got[1].Target.Tag != "2" {
		t.Errorf("%+v", got)
	}
}

// busy is a store that refuses the first writes.
type busy struct {
	storagedriver.StorageDriver
	refuses int
}

func (b *busy) PutContent(ctx context.Context, path string, content []byte) error {
	if b.refuses--; b.refuses >= 0 {
		return errors.New("409 Conflict")
	}
	return b.StorageDriver.PutContent(ctx, path, content)
}

// TestBusyStore has a store that takes an event at a later try, or at no try.
func TestBusyStore(t *testing.T) {
	for refuses, lost := range map[int]int64{0: 0, 1: 0, tries - 1: 0, tries: 1} {
		driver, log := &busy{inmemory.New(), refuses}, &safeBuffer{}
		s := sender(driver, log, config.Notification{Name: "hook", URL: "http://127.0.0.1:1"})
		s.Observe(t.Context(), push("1"))
		if got := s.Counts()[0]; got.Dropped[unkept] != lost || got.Waiting != int(1-lost) || strings.Contains(log.String(), "could not be kept") != (lost > 0) {
			t.Errorf("after %d refusals: %+v, %s", refuses, got, log)
		}
	}
}

// stuck is a store that gives no answer to a deletion.
type stuck struct {
	storagedriver.StorageDriver
	asked chan struct{}
}

func (s stuck) Delete(ctx context.Context, _ string) error {
	s.asked <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

// TestStopWithoutStore stops a server while the store does not delete an envelope that the endpoint took.
func TestStopWithoutStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := stuck{inmemory.New(), make(chan struct{})}
		s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: "http://hook.example.com"})
		s.endpoints[0].client.Transport = taking{}
		s.Observe(t.Context(), push("1"))
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		<-driver.asked
		stop()
		running.Wait()
		if got := s.Counts()[0].Sent[taken]; got != 1 || len(s.endpoints[0].done) != 1 {
			t.Errorf("%d were taken, remembered as done: %v", got, s.endpoints[0].done)
		}
	})
}

// slow is a store that takes long for a deletion, as it does while it throttles.
type slow struct{ storagedriver.StorageDriver }

func (s slow) Delete(ctx context.Context, path string) error {
	if err := wait.For(ctx, 2*patienceWithStore); err != nil {
		return err
	}
	return s.StorageDriver.Delete(ctx, path)
}

// TestSlowStore checks that no event stays in a store that takes long to delete it.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := slow{inmemory.New()}
		s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: "http://hook.example.com"})
		s.endpoints[0].client.Transport = taking{}
		s.Observe(t.Context(), push("1"))
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { s.Run(ctx) })
		time.Sleep(3 * patienceWithStore)
		stop()
		running.Wait()
		left, err := layout.Names(t.Context(), driver, folderOf("hook"))
		if err != nil || len(left)+len(s.endpoints[0].done) > 0 {
			t.Errorf("%q are left, remembered as done: %v (%v)", left, s.endpoints[0].done, err)
		}
	})
}

// taking is a transport to an endpoint that takes everything.
type taking struct{}

func (taking) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// TestHeldForLong has an event that was kept for so long that another server took it over and sent it.
func TestHeldForLong(t *testing.T) {
	driver, r := inmemory.New(), listen(t)
	s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: r.URL})
	write := push("1")
	write.Time = time.Now().Add(-2 * leftAfter)
	s.Observe(t.Context(), write)
	if err := driver.Delete(t.Context(), folderOf("hook")); err != nil {
		t.Fatal(err)
	}
	s.Observe(t.Context(), push("2"))
	run(t, s)
	poll.Until(t, "the other", func() bool { return len(r.events()) > 0 })
	if got := r.events(); got[0].Target.Tag != "2" {
		t.Errorf("%+v", got)
	}
}

// TestLeft has events of another server: those it may still be sending are left to it, and
// those it has sent are not sent again.
func TestLeft(t *testing.T) {
	driver := inmemory.New()
	s := sender(driver, io.Discard, config.Notification{Name: "hook", URL: "http://127.0.0.1:1"})
	e := s.endpoints[0]
	young, left := time.Now().UTC().Format(timeOfName)+"-x", time.Now().Add(-2*leftAfter).UTC().Format(timeOfName)+"-x"
	// A server that was killed while it wrote left these.
	unwritten, forgotten := left+".9d0e.tmp", time.Now().Add(-2*mostAge).UTC().Format(timeOfName)+"-x.9d0e.tmp"
	for _, name := range []string{young, left, "strange", unwritten, forgotten} {
		if err := driver.PutContent(t.Context(), e.pathOf(name), []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.look(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if first, ok := e.queue.first(); !ok || first.name != left || e.queue.length() != 1 {
		t.Errorf("%+v", e.queue.all)
	}
	for name, there := range map[string]bool{unwritten: true, forgotten: false} {
		if _, err := driver.Stat(t.Context(), e.pathOf(name)); there != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e.delete(t.Context(), left)
	if err := e.handle(t.Context(), envelope{name: left, content: []byte("{}")}, true); err != nil {
		t.Errorf("it is sent again: %v", err)
	}
}

// TestUntrusted has a certificate that is not trusted until its CA is given.
func TestUntrusted(t *testing.T) {
	r := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	r.StartTLS()
	defer r.Close()
	hook := config.Notification{Name: "hook", URL: r.URL}
	if err := newEndpoint(hook, inmemory.New(), logrus.NewEntry(logrus.New())).post(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without a CA: %v", err)
	}
	hook.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}))
	if err := newEndpoint(hook, inmemory.New(), logrus.NewEntry(logrus.New())).post(t.Context(), nil); err != nil {
		t.Errorf("with it: %v", err)
	}
}

// safeBuffer is a buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
