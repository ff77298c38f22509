package gcs

import (
	"net/http"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/testsuites"
)

// The engine's suite. It writes 5 GB and waits 15 s; -short makes it less.
func TestEngineSuite(t *testing.T) {
	g := &google{}
	transport := g.start(t)
	// Redirects are followed with this transport.
	before := http.DefaultTransport
	http.DefaultTransport = transport
	t.Cleanup(func() { http.DefaultTransport = before })
	testsuites.Driver(t, func() (storagedriver.StorageDriver, error) {
		return newDriver(t.Context(), parameters(t, "/some/where else/"), transport)
	}, true)
	if len(g.objects) > 0 {
		t.Errorf("left behind: %v", g.objects)
	}
}
