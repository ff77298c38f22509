package server

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/registrytest"
)

// TestDeletionWithoutRedis has a Redis that is away: what it must be told of is refused, and all else goes on.
func TestDeletionWithoutRedis(t *testing.T) {
	config := registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}, delete: {enabled: true}, cache: {blobdescriptor: redis}}\nredis: {addrs: ['127.0.0.1:1']}\n")
	config.HTTP.Addr, config.Log.AccessLog.Disabled = "127.0.0.1:0", true
	var out bytes.Buffer
	log := logrus.New()
	log.SetOutput(&out)
	s, err := New(config, own{}, nil, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	layer := []byte("layer")
	image := registrytest.Client{URL: "http://" + s.Addr().String()}.Push(t, "app", "1", layer)

	for _, test := range []struct {
		path   string
		status int
	}{
		{"manifests/" + image.String(), http.StatusServiceUnavailable},
		{"blobs/" + digest.FromBytes(layer).String(), http.StatusServiceUnavailable},
		{"manifests/1", http.StatusAccepted},
	} {
		answer := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(answer, httptest.NewRequest(http.MethodDelete, "/v2/app/"+test.path, nil))
		refused := test.status != http.StatusAccepted
		if answer.Code != test.status || refused != (answer.Header().Get("Retry-After") != "") || refused != strings.Contains(answer.Body.String(), "the Redis of this registry does not answer") {
			t.Errorf("%s: %d %v: %s", test.path, answer.Code, answer.Header(), answer.Body)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "the Redis at 127.0.0.1:1 does not answer: "); n != 1 {
		t.Errorf("it is told %d times: %s", n, out.String())
	}
}
