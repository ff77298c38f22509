package garbage

import (
	"net/http"
	"strings"
	"testing"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// listener reads what a collection says, and pushes each time it does.
type listener struct {
	t    *testing.T
	rig  *rig
	said strings.Builder
}

func (l *listener) Write(lines []byte) (int, error) {
	if status := l.rig.TryUpload(l.t, "app"); status != http.StatusAccepted {
		l.t.Errorf("%d while it says %q", status, lines)
	}
	if strings.Count(string(lines), "\n") != 1 {
		l.t.Errorf("not one line: %q", lines)
	}
	return l.said.Write(lines)
}

// TestSaidWhenWritersGoOn expects a collection to say what it deleted only when writers go on: a slow reader
// must not make them wait.
func TestSaidWhenWritersGoOn(t *testing.T) {
	timing := quick
	timing.Patience = timing.Expiry / 20
	r := serve(t, folder(t), "a", timing, Options{DeleteUntagged: true})
	for i := range uint64(5) {
		r.Push(t, "app", "latest", registrytest.Layer(i, 100))
	}
	r = serve(t, r.collector.driver, "a", timing, r.collector.options)
	collection := r.begin(t)
	said := &listener{t: t, rig: serve(t, r.collector.driver, "b", timing, Options{})}
	collection.out = said
	if err := collection.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(said.said.String(), "deleted: "); n < 4 || collection.report.Manifests.Deleted != 4 {
		t.Errorf("%s\n%s", collection.report, said.said.String())
	}
}

// stopped is a reader that reads nothing until it is let go on.
type stopped struct {
	goOn chan struct{}
	said strings.Builder
}

func (s *stopped) Write(lines []byte) (int, error) {
	<-s.goOn
	return s.said.Write(lines)
}

// TestReaderThatStandsStill holds up neither the collection nor the next one, and reads everything later.
func TestReaderThatStandsStill(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	for i := range uint64(3) {
		r.Push(t, "app", "latest", registrytest.Layer(i, 100))
	}
	r = serve(t, r.collector.driver, "b", quick, r.collector.options)
	reader := &stopped{goOn: make(chan struct{})}
	ended := make(chan error)
	go func() {
		_, err := r.collector.Collect(t.Context(), Request{}, reader)
		ended <- err
	}()
	poll.Until(t, "the end of the collection", func() bool { return len(r.collector.Runs()) > 0 })
	r.collect(t, Request{})
	close(reader.goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(reader.said.String(), "deleted: manifest"); n != 2 {
		t.Error(reader.said.String())
	}
}
