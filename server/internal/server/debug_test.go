package server

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"

	"github.com/distribution/distribution/v3/health"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/prometheus/client_golang/prometheus"
)

// get asks the debug server.
func (i *instance) get(t *testing.T, path string) (int, string) {
	t.Helper()
	response, err := http.Get("http://" + i.server.debugListener.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body(t, response))
}

// forget makes the engine register metrics and health checks as if it were the first of the process.
func forget(t *testing.T) {
	checks, registerer, gatherer := health.DefaultRegistry, prometheus.DefaultRegisterer, prometheus.DefaultGatherer
	t.Cleanup(func() {
		health.DefaultRegistry, prometheus.DefaultRegisterer, prometheus.DefaultGatherer = checks, registerer, gatherer
	})
	own := prometheus.NewRegistry()
	health.DefaultRegistry, prometheus.DefaultRegisterer, prometheus.DefaultGatherer = health.NewRegistry(), own, own
}

func TestDebugServer(t *testing.T) {
	forget(t)
	config := registrytest.Parse(t, inMemory+"http: {debug: {addr: 127.0.0.1:0, prometheus: {enabled: true}}}\n")
	i := start(t, config, &http.Client{})
	for path, want := range map[string]int{"/debug/health": 200, "/metrics": 200, "/debug/vars": 404, "/debug/pprof/": 404, "/v2/": 404} {
		if got, _ := i.get(t, path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if response := i.do(t, http.MethodGet, "/metrics", nil); response.StatusCode != http.StatusNotFound {
		t.Errorf("clients get %s", response.Status)
	}
}

// TestDebugServerIsBounded opens more connections than there may be, without a request.
func TestDebugServerIsBounded(t *testing.T) {
	forget(t)
	i := start(t, registrytest.Parse(t, inMemory+"http: {debug: {addr: 127.0.0.1:0, prometheus: {enabled: true}}}\n"), &http.Client{})
	var first net.Conn
	for range debugLimits.Connections + 1 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", i.server.debugListener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if first == nil {
			first = c
		}
	}
	if code, _ := i.get(t, "/metrics"); code != http.StatusOK {
		t.Errorf("/metrics: %d", code)
	}
	if err := first.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection that waits longest: %v", err)
	}
}

// TestMetrics has clients do what is to be counted.
func TestMetrics(t *testing.T) {
	forget(t)
	folder, users := t.TempDir(), htpasswd(t, "alice", "wonder")
	content, err := os.ReadFile(users)
	if err == nil {
		err = os.WriteFile(users, append([]byte("#!access alice push-pull team/*\n"), content...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	config, client := withTLS(t, "storage: {filesystem: {rootdirectory: "+folder+"}, delete: {enabled: true}, "+
		"maintenance: {garbagecollection: {schedule: '0 3 * * *'}}}\n"+
		"auth: {htpasswd: {realm: test, path: "+users+"}}\n"+
		"health: {storagedriver: {enabled: true, interval: 10s}}\n"+
		"http: {debug: {addr: 127.0.0.1:0, prometheus: {enabled: true, path: /metrics}}}\n")
	i := start(t, config, client)
	ask := func(password, method, path, content string) {
		t.Helper()
		request, err := http.NewRequest(method, i.base+path, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
		request.SetBasicAuth("alice", password)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body(t, response)
	}
	ask("wonder", http.MethodGet, "/v2/", "")
	ask("wonder", http.MethodGet, "/v2/", "")
	ask("a guess", http.MethodGet, "/v2/", "")
	ask("wonder", http.MethodPut, "/v2/team/app/manifests/1", "{")
	ask("wonder", http.MethodPut, "/v2/other/manifests/1", "{}")
	ask("wonder", http.MethodPost, "/v2/other/blobs/uploads/", "")
	ask("wonder", http.MethodPut, "/v2/team/app/manifests/latest", `{"schemaVersion":2,"mediaType":"`+v1.MediaTypeImageIndex+`","manifests":[]}`)

	wanted := []string{
		`registry_build_info{engine="`,
		`registry_store_up 1`,
		`registry_certificate_expiry_timestamp_seconds 1.`,
		`registry_disk_free_bytes `,
		`registry_logins_total{result="right"} 1`,
		`registry_logins_total{result="wrong"} 1`,
		`registry_logins_total{result="remembered"} `,
		`registry_requests_total{code="200",method="GET",route="ping"} 2`,
		`registry_requests_total{code="401",method="GET",route="ping"} 1`,
		`registry_pushes_refused_total{reason="invalid"} 1`,
		`registry_pushes_refused_total{reason="denied"} 2`,
		`registry_requests_total{code="403",method="PUT",route="manifest"} 1`,
		`registry_requests_total{code="403",method="POST",route="upload"} 1`,
		`registry_repository_tags{repository="team/app"} 1`,
		`registry_repositories 1`,
		`registry_collections_total{result="failed"} 0`,
		`registry_collection_interval_seconds 86400`,
		`registry_http_requests_total{`,
	}
	var missing []string
	var text string
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		_, text = i.get(t, "/metrics")
		missing = missing[:0]
		for _, each := range wanted {
			if !strings.Contains(text, "\n"+each) {
				missing = append(missing, each)
			}
		}
		if len(missing) == 0 || time.Now().After(until) {
			break
		}
	}
	if len(missing) > 0 {
		t.Errorf("missing: %q\n%s", missing, text)
	}
	for _, secret := range []string{"alice", "wonder", "a guess"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is told", secret)
		}
	}
}

// TestStoreAwayFromTheStart starts a server during an outage of its store: nobody is told that it can be used.
func TestStoreAwayFromTheStart(t *testing.T) {
	forget(t)
	i := start(t, registrytest.Parse(t, "storage: {s3: {region: here, bucket: images, regionendpoint: 'http://127.0.0.1:1', accesskey: a, secretkey: b}}\n"+
		"health: {storagedriver: {enabled: true, interval: 1h, threshold: 3}}\n"+
		"http: {debug: {addr: 127.0.0.1:0, prometheus: {enabled: true}}}\n"), &http.Client{})
	if response := i.do(t, http.MethodGet, "/", nil); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("at the start, / is %s", response.Status)
	}
	told := func() string {
		_, text := i.get(t, "/metrics")
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "registry_store_up ") {
				return strings.TrimSpace(line)
			}
		}
		return ""
	}
	poll.Until(t, "an answer of the store", func() bool { return told() != "" })
	if got := told(); got != "registry_store_up 0" {
		t.Error(got)
	}
	for path, want := range map[string]int{"/": 503, "/livez": 200, "/v2/app/tags/list": 503} {
		if response := i.do(t, http.MethodGet, path, nil); response.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, response.Status, want)
		}
	}
	if code, text := i.get(t, "/debug/health"); code != http.StatusServiceUnavailable || !strings.Contains(text, "storagedriver_s3") {
		t.Errorf("/debug/health: %d %s", code, text)
	}
}
