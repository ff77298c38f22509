package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/stamp"
)

// BenchmarkPing measures GET /v2/, the request clients send most, without the network.
func BenchmarkPing(b *testing.B) {
	tests := []struct {
		name, yaml string
	}{
		{"open", inMemory},
		{"authenticated", inMemory + "auth: {htpasswd: {realm: registry, path: " + htpasswd(b, "alice", "wonder") + "}}\n"},
	}
	for _, test := range tests {
		b.Run(test.name, func(b *testing.B) {
			config := registrytest.Parse(b, test.yaml)
			config.HTTP.Addr = "127.0.0.1:0"
			config.Log.AccessLog.Disabled = true
			log, err := logging.Configure(config.Log)
			if err != nil {
				b.Fatal(err)
			}
			s, err := New(config, own{}, nil, log)
			if err != nil {
				b.Fatal(err)
			}
			defer s.listener.Close()
			poll.Until(b, "the users to settle", settled(config.Auth))
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodGet, "/v2/", nil)
				request.SetBasicAuth("alice", "wonder")
				w := httptest.NewRecorder()
				s.http.Handler.ServeHTTP(w, request)
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
			}
		})
	}
}

// settled waits out the time in which a new file is read again on every request.
func settled(auth configuration.Auth) func() bool {
	return func() bool {
		path, ok := auth.Parameters()["path"].(string)
		if !ok {
			return true
		}
		s, err := stamp.Of(path)
		return err == nil && s.Settled(time.Now())
	}
}
