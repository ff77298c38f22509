package fence

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/boottime"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

func TestOneOfMany(t *testing.T) {
	driver := inmemory.New()
	var group sync.WaitGroup
	outcomes := make(chan error, 8)
	release := make(chan struct{})
	for i := range 8 {
		group.Go(func() {
			h, _, err := New(driver, string(rune('a'+i)), quick, NoCache{}).Acquire(t.Context())
			outcomes <- err
			if err == nil {
				<-release
				h.Release(t.Context())
			}
		})
	}
	holds := 0
	for range 8 {
		switch err := <-outcomes; {
		case err == nil:
			holds++
		case !errors.As(err, new(Busy)):
			t.Error(err)
		}
	}
	close(release)
	group.Wait()
	names, err := layout.Names(t.Context(), driver, folder)
	if err != nil || holds != 1 {
		t.Errorf("%d held it: %v", holds, err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, holderPrefix) {
			t.Errorf("%s is left", name)
		}
	}
}

// TestKilledHolder has the next process with the same name, or another server, write again
// and take over: at once, unless requests to delete may still be on their way.
func TestKilledHolder(t *testing.T) {
	for _, phase := range []string{phaseMark, phaseSweep} {
		for _, successor := range []string{"a", "b"} {
			t.Run("in "+phase+", followed by "+successor, func(t *testing.T) {
				driver := inmemory.New()
				h := serve(t, driver, "a").acquire(t)
				if phase == phaseSweep {
					if _, err := h.Pause(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				killed(h)
				next := serve(t, driver, successor)
				began := time.Now()
				refusals := 0
				for {
					response := next.send(t, http.MethodPut, manifestPath)
					if response.StatusCode == http.StatusCreated {
						break
					}
					if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
						t.Fatal(response.Status)
					}
					refusals++
				}
				if paused := phase == phaseSweep; paused != (refusals > 0) || paused && time.Since(began) < quick.Expiry {
					t.Errorf("%d refusals in %s", refusals, time.Since(began))
				}
				taken := next.acquire(t)
				if _, err := taken.Pause(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := taken.Resume(t.Context()); err != nil {
					t.Fatal(err)
				}
				taken.Release(t.Context())
				names, err := layout.Names(t.Context(), driver, folder)
				names = slices.DeleteFunc(names, func(name string) bool { return name == journalFolderName })
				if err != nil || len(names) != 1 || !strings.HasPrefix(names[0], generationPrefix) {
					t.Errorf("left: %q %v", names, err)
				}
				if journals, err := layout.Names(t.Context(), driver, journalOf("")); err != nil || len(journals) > 0 {
					t.Errorf("journals left: %q %v", journals, err)
				}
			})
		}
	}
}

// TestDeletionWithoutAnswer has a store carry out a deletion after saying that it failed. The
// collection is over, but nobody writes until that can no longer happen.
func TestDeletionWithoutAnswer(t *testing.T) {
	driver := &failing{StorageDriver: inmemory.New()}
	a := serve(t, driver, "a")
	servers := []*server{a, serve(t, driver, "b")}
	h := a.acquire(t)
	if _, err := h.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Delete(t.Context(), "", "/blob"); !errors.Is(err, errFailing) {
		t.Fatal(err)
	}
	if err := h.Resume(t.Context()); !errors.Is(err, errUnanswered) {
		t.Error(err)
	}
	h.Release(t.Context())
	for _, s := range servers {
		if response := s.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s takes a manifest: %s", s.fence.name, response.Status)
		}
	}
	next := a.acquire(t)
	defer next.Release(t.Context())
	for _, s := range servers {
		if response := s.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
			t.Errorf("afterwards %s says %s", s.fence.name, response.Status)
		}
	}
}

var errFailing = errors.New("no answer")

// failing is a store whose answer to the deletion of a blob is lost.
type failing struct{ storagedriver.StorageDriver }

func (d *failing) Delete(ctx context.Context, path string) error {
	if path == "/blob" {
		return errFailing
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestDeletionAtTheEnd has a collection told to end while the store deletes.
func TestDeletionAtTheEnd(t *testing.T) {
	driver := &slow{StorageDriver: inmemory.New(), begun: make(chan struct{}), end: make(chan struct{})}
	if err := driver.PutContent(t.Context(), "/blob", []byte("content")); err != nil {
		t.Fatal(err)
	}
	a := serve(t, driver, "a")
	ordered, stop := context.WithCancel(t.Context())
	h, ctx, err := a.fence.Acquire(ordered)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Pause(ctx); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan error, 1)
	go func() {
		_, err := h.Delete(ctx, "", "/blob")
		deleted <- err
	}()
	<-driver.begun
	stop()
	<-h.ended
	close(driver.end)
	if err := <-deleted; err != nil {
		t.Errorf("the deletion was cut off: %v", err)
	}
	if _, err := h.Delete(ctx, "", "/another"); !errors.Is(err, context.Canceled) {
		t.Errorf("another one was begun: %v", err)
	}
	h.Release(ctx)
	if response := a.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
		t.Error(response.Status)
	}
}

// slow is a store that is slow to delete a blob.
type slow struct {
	storagedriver.StorageDriver
	begun, end chan struct{}
}

func (d *slow) Delete(ctx context.Context, path string) error {
	if path == "/blob" {
		close(d.begun)
		<-d.end
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestLateClearing has a store carry out a deletion by a claim that failed only when the next holder is
// there. What others push during the next collection is known all the same.
func TestLateClearing(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	if err := driver.PutContent(t.Context(), path.Join(journalOf("dead"), "entry"), []byte("{}")); err != nil {
		t.Fatal(err)
	}
	late := ""
	driver.Before = func(action, p string) error {
		if action == "delete" && late == "" && strings.HasPrefix(p, journalOf("")) {
			late = p
			return errors.New("no answer")
		}
		return nil
	}
	f := New(driver, "a", quick, NoCache{})
	if _, _, err := f.Acquire(t.Context()); err == nil || late == "" {
		t.Fatalf("%q: %v", late, err)
	}
	hold, ctx, err := f.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Release(ctx)
	if err := driver.PutContent(ctx, path.Join(journalOf(hold.self.ID), "entry"), []byte(`{"repository":"app"}`)); err != nil {
		t.Fatal(err)
	}
	if err := driver.StorageDriver.Delete(ctx, late); err != nil && !layout.IsMissing(err) {
		t.Fatal(err)
	}
	if pushed, err := hold.journal(ctx); err != nil || len(pushed) != 1 {
		t.Errorf("%v, %v", pushed, err)
	}
}

// TestHolderThatSleeps wakes up when another server may have taken over, and deletes nothing more. At
// that time none of Go's timers has noticed yet.
func TestHolderThatSleeps(t *testing.T) {
	dead := holder{ID: "dead", Name: "a", Phase: phaseSweep}
	entry := path.Join(journalOf("successor"), "entry")
	tests := map[string]struct {
		// path is what it deletes just before it falls asleep, and left what it must not delete.
		path, left string
		do         func(f *Fence) error
	}{
		"between two steps of a deletion": {"/first", "/second", func(f *Fence) error {
			h, ctx, err := f.Acquire(t.Context())
			if err != nil {
				return err
			}
			defer h.Release(ctx)
			done, err := h.Delete(t.Context(), "", "/first", "/second")
			if done {
				t.Error("it said that all is deleted")
			}
			return err
		}},
		"while it clears away what a dead one left": {dead.path(), entry, func(f *Fence) error {
			_, _, err := f.Acquire(t.Context())
			return err
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			driver := &sleepy{StorageDriver: inmemory.New(), path: test.path}
			clock := func() time.Duration { return boottime.Now() + time.Duration(driver.asleep.Load()) }
			for _, each := range []string{"/first", "/second", dead.path(), entry} {
				content, err := json.Marshal(dead)
				if err == nil {
					err = driver.PutContent(t.Context(), each, content)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := test.do(NewWithClock(driver, "a", quick, NoCache{}, clock)); !errors.Is(err, ErrLost) {
				t.Error(err)
			}
			if _, err := driver.Stat(t.Context(), test.path); !layout.IsMissing(err) {
				t.Error(err)
			}
			if _, err := driver.Stat(t.Context(), test.left); err != nil {
				t.Error(err)
			}
		})
	}
}

// sleepy is the store of a machine that is suspended after one deletion.
type sleepy struct {
	storagedriver.StorageDriver
	path   string
	asleep atomic.Int64
}

func (d *sleepy) Delete(ctx context.Context, path string) error {
	err := d.StorageDriver.Delete(ctx, path)
	if path == d.path {
		d.asleep.Store(int64(time.Hour))
	}
	return err
}

// TestStrictestHolder counts, whatever other holder is in the store: one that only claims, or one
// that can't be read.
func TestStrictestHolder(t *testing.T) {
	tests := []struct{ name, mine, other string }{
		{"one that claims, listed first", phaseSweep, `{"id":"0","name":"c","phase":"claim","beat":1}`},
		{"half of one", phaseMark, `{"id":"0","na`},
		{"an empty one", phaseMark, ``},
		{"one of a later version", phaseMark, `{"id":"0","name":"c","phase":"condemn","beat":1}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			driver := inmemory.New()
			a, b := serve(t, driver, "a"), serve(t, driver, "b")
			h := a.acquire(t)
			defer h.Release(t.Context())
			if err := driver.PutContent(t.Context(), path.Join(folder, holderPrefix+"0"), []byte(test.other)); err != nil {
				t.Fatal(err)
			}
			if test.mine == phaseSweep {
				if _, err := h.Pause(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if response := b.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusServiceUnavailable {
				t.Error(response.Status)
			}
		})
	}
}

// TestLostHold deletes nothing more.
func TestLostHold(t *testing.T) {
	t.Run("the machine was suspended", func(t *testing.T) {
		var suspended atomic.Int64
		f := NewWithClock(inmemory.New(), "a", quick, NoCache{}, func() time.Duration { return boottime.Now() + time.Duration(suspended.Load()) })
		h, ctx, err := f.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer h.Release(t.Context())
		suspended.Store(int64(time.Hour))
		<-ctx.Done()
		if err := context.Cause(ctx); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "(not for 1h0m0s: this machine stood still, ") {
			t.Error(err)
		}
	})
	t.Run("somebody cleared it away", func(t *testing.T) {
		h := serve(t, inmemory.New(), "a").acquire(t)
		defer h.Release(t.Context())
		// Between two beats.
		h.writing <- struct{}{}
		if err := h.fence.remove(t.Context(), h.self.path()); err != nil {
			t.Fatal(err)
		}
		if err := h.standing(t.Context()); !errors.Is(err, ErrLost) {
			t.Error(err)
		}
		<-h.writing
	})
	t.Run("the store does not answer from the first", func(t *testing.T) {
		driver := &hanging{StorageDriver: inmemory.New()}
		driver.hangs.Store(true)
		timing := quick
		timing.Expiry = 300 * time.Millisecond
		if _, _, err := New(driver, "a", timing, NoCache{}).Acquire(t.Context()); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), ": the store has not answered for ") {
			t.Error(err)
		}
	})
	t.Run("the store does not answer", func(t *testing.T) {
		driver := &hanging{StorageDriver: inmemory.New()}
		f := New(driver, "a", quick, NoCache{})
		h, ctx, err := f.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		driver.hangs.Store(true)
		// A deletion that is under way ends with the right to collect.
		done := make(chan error)
		go func() {
			_, err := h.Delete(ctx, "", "/any")
			done <- err
		}()
		if err := <-done; err == nil || !errors.Is(context.Cause(ctx), ErrLost) {
			t.Error(err)
		}
		driver.hangs.Store(false)
		h.Release(t.Context())
	})
}

// TestEndWhileLooking has a collection delete and end while a server looks: after its holder was listed, with
// the generations of that time, and before the holder is read.
func TestEndWhileLooking(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	a, b := New(driver.StorageDriver, "a", quick, NoCache{}), New(driver, "b", quick, NoCache{})
	before, err := b.looks.after(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hold, ctx, err := a.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	read := false
	driver.Before = func(action, p string) error {
		if action == "get" && strings.HasPrefix(path.Base(p), holderPrefix) && !read {
			read = true
			if _, err := hold.Pause(ctx); err != nil {
				t.Error(err)
			}
			hold.Release(ctx)
		}
		return nil
	}
	after, err := b.looks.after(t.Context())
	if err != nil || !read {
		t.Fatal("no holder was read", err)
	}
	if b.unchanged(before, after, nil) {
		t.Errorf("nothing is known of the collection: %+v, then %+v", before, after)
	}
}

// hanging is a store that cannot be reached for a while.
type hanging struct {
	storagedriver.StorageDriver
	hangs atomic.Bool
	lists atomic.Int64
}

func (d *hanging) PutContent(ctx context.Context, path string, content []byte) error {
	if d.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.StorageDriver.PutContent(ctx, path, content)
}

func (d *hanging) List(ctx context.Context, path string) ([]string, error) {
	d.lists.Add(1)
	if d.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return d.StorageDriver.List(ctx, path)
}

func (d *hanging) Delete(ctx context.Context, path string) error {
	if d.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestOneWrongAnswer has a store say once that a collection, or what others pushed, is not there. The server
// goes on to assume that it is.
func TestOneWrongAnswer(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	hold, other := serve(t, driver, "a").acquire(t), serve(t, driver, "b")
	defer hold.Release(t.Context())
	if err := driver.PutContent(t.Context(), path.Join(journalOf(hold.self.ID), "entry"), []byte(`{"repository":"app"}`)); err != nil {
		t.Fatal(err)
	}
	for _, question := range []string{"list " + folder, "get " + hold.self.path(), "list " + journalOf(hold.self.ID)} {
		asked := false
		driver.Before = func(action, path string) error {
			if asked || action+" "+path != question {
				return nil
			}
			asked = true
			return storagedriver.PathNotFoundError{Path: path}
		}
		hold.read = map[string]bool{}
		s, err := other.fence.look()
		pushed, journalErr := hold.journal(t.Context())
		if !asked || err != nil || journalErr != nil || len(s.holders) != 1 || len(pushed) != 1 {
			t.Errorf("nothing there to %s, asked %t: %v, %v; %v, %v", question, asked, s.holders, err, pushed, journalErr)
		}
	}
}
