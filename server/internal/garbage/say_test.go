package garbage

import (
	"net/http"
	"strings"
	"testing"

	"container-registry/server/internal/registrytest"
)

// listener reads what a collection says, and pushes each time.
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

// TestSaidWhenWritersGoOn is what was deleted: who reads it slowly must not have them wait.
func TestSaidWhenWritersGoOn(t *testing.T) {
	timing := quick
	timing.Patience = timing.Expiry / 20
	r := serve(t, folder(t), "a", timing, Options{DeleteUntagged: true})
	for i := range uint64(5) {
		r.Push(t, "app", "latest", registrytest.Layer(i, 100))
	}
	said := &listener{t: t, rig: serve(t, r.collector.driver, "b", timing, Options{})}
	report, err := r.collector.Collect(t.Context(), Request{DeleteUntagged: true}, said)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(said.said.String(), "deleted: "); n < 4 || report.Manifests.Deleted != 4 {
		t.Errorf("%s\n%s", report, said.said.String())
	}
}
