package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/config"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/testpki"
)

// TestMain keeps the engine quiet; tests that look at the log set their own output.
func TestMain(m *testing.M) {
	logrus.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// own is the part of a configuration that is not the engine's.
type own = config.Server

// instance is a running server.
type instance struct {
	server *Server
	base   string
	client *http.Client
	stop   func()
	ended  chan error
	// entered gets the method of every request that reached the server.
	entered chan string
}

func start(t *testing.T, config *configuration.Configuration, client *http.Client, prepare ...func(*Server)) *instance {
	t.Helper()
	config.HTTP.Addr = "127.0.0.1:0"
	config.Log.AccessLog.Disabled = true
	s, err := New(config, own{}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range prepare {
		each(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	i := &instance{server: s, client: client, stop: cancel, ended: make(chan error, 1), entered: make(chan string, 100)}
	handler := s.http.Handler
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.entered <- r.Method
		handler.ServeHTTP(w, r)
	})
	i.base = "http://" + s.Addr().String()
	if config.HTTP.TLS.Certificate != "" {
		i.base = "https://" + s.Addr().String()
	}
	var running sync.WaitGroup
	running.Go(func() { i.ended <- s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		client.CloseIdleConnections()
		// It may be writing to the store.
		running.Wait()
	})
	return i
}

// withTLS makes a configuration with a certificate, and a client that trusts it.
func withTLS(t *testing.T, yaml string) (*configuration.Configuration, *http.Client) {
	t.Helper()
	config := registrytest.Parse(t, yaml)
	ca := testpki.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "tls.pem")
	if err := os.WriteFile(file, ca.Valid(t, "server").Combined(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	config.HTTP.TLS.Certificate, config.HTTP.TLS.Key = file, file
	return config, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}, ForceAttemptHTTP2: true}}
}

const inMemory = "storage: {inmemory: {}}\n"

func TestPushAndPullBlob(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}}\n"), &http.Client{})
	content := bytes.Repeat([]byte("layer "), 100_000)
	digest := i.push(t, "team/app", bytes.NewReader(content))
	response := i.do(t, http.MethodGet, "/v2/team/app/blobs/"+digest, nil)
	if got := body(t, response); response.StatusCode != http.StatusOK || !bytes.Equal(got, content) {
		t.Errorf("pull: %s, %d bytes of %d", response.Status, len(got), len(content))
	}
}

func TestAlive(t *testing.T) {
	config := registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+htpasswd(t, "alice", "wonder")+"}}\n")
	i := start(t, config, &http.Client{})
	for _, test := range []struct {
		path, user string
		want       int
	}{
		{"/", "", http.StatusOK},
		{"/livez", "", http.StatusOK},
		{"/v2/", "", http.StatusUnauthorized},
		{"/v2/", "alice:wonder", http.StatusOK},
		{"/v2/", "alice:wrong", http.StatusUnauthorized},
	} {
		request, err := http.NewRequest(http.MethodGet, i.base+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if name, password, ok := strings.Cut(test.user, ":"); ok {
			request.SetBasicAuth(name, password)
		}
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body(t, response)
		if response.StatusCode != test.want {
			t.Errorf("%s as %q: %s, want %d", test.path, test.user, response.Status, test.want)
		}
	}
}

func TestTLSVersions(t *testing.T) {
	tests := []struct {
		minimum          string
		client           uint16
		refused          bool
		wantProtocolPart string
	}{
		{"", tls.VersionTLS10, true, "protocol version"},
		{"", tls.VersionTLS11, true, "protocol version"},
		{"", tls.VersionTLS12, false, ""},
		{"", tls.VersionTLS13, false, ""},
		{"tls1.3", tls.VersionTLS12, true, "protocol version"},
		{"tls1.3", tls.VersionTLS13, false, ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("minimum %q, client %s", test.minimum, tls.VersionName(test.client)), func(t *testing.T) {
			config, client := withTLS(t, inMemory)
			config.HTTP.TLS.MinimumTLS = test.minimum
			i := start(t, config, client)
			settings := client.Transport.(*http.Transport).TLSClientConfig.Clone()
			settings.MinVersion, settings.MaxVersion = test.client, test.client
			conn, err := tls.Dial("tcp", i.server.Addr().String(), settings)
			if err == nil {
				conn.Close()
			}
			if refused := err != nil; refused != test.refused || (refused && !strings.Contains(err.Error(), test.wantProtocolPart)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHTTPVersions(t *testing.T) {
	tests := []struct {
		name, yaml string
		tls        bool
		want       int
	}{
		{"TLS", inMemory, true, 2},
		{"TLS without HTTP/2", inMemory + "http: {http2: {disabled: true}}\n", true, 1},
		{"clear text", inMemory, false, 1},
		{"clear text with HTTP/2", inMemory + "http: {h2c: {enabled: true}}\n", false, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config, client := withTLS(t, test.yaml)
			if !test.tls {
				config = registrytest.Parse(t, test.yaml)
				if test.want == 2 {
					protocols := new(http.Protocols)
					protocols.SetUnencryptedHTTP2(true)
					client.Transport.(*http.Transport).Protocols = protocols
				}
			}
			i := start(t, config, client)
			response := i.do(t, http.MethodGet, "/v2/", nil)
			body(t, response)
			if response.ProtoMajor != test.want {
				t.Errorf("%s, want HTTP/%d", response.Proto, test.want)
			}
		})
	}
}

func TestPlainTextOnTLS(t *testing.T) {
	config, client := withTLS(t, inMemory)
	i := start(t, config, client)
	response := i.do(t, http.MethodGet, strings.Replace(i.base, "https", "http", 1)+"/v2/", nil)
	text := body(t, response)
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), `{"errors":[{"code":"UNSUPPORTED","message":"this registry speaks HTTPS only;`) || !strings.Contains(string(text), "127.0.0.1") || !strings.Contains(string(text), "docker manifest push") {
		t.Errorf("%s %s", response.Status, text)
	}
}

func TestClientCertificates(t *testing.T) {
	clients := testpki.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, clients.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		mode    string
		certify bool
		refused bool
	}{
		{"", false, true},
		{"", true, false},
		{configuration.ClientAuthVerifyClientCertIfGiven, false, false},
		{configuration.ClientAuthVerifyClientCertIfGiven, true, false},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%q with certificate %v", test.mode, test.certify), func(t *testing.T) {
			config, client := withTLS(t, inMemory)
			config.HTTP.TLS.ClientCAs = []string{file}
			config.HTTP.TLS.ClientAuth = configuration.ClientAuth(test.mode)
			if test.certify {
				client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{clients.Valid(t, "client").TLS(t)}
			}
			i := start(t, config, client)
			response, err := client.Get(i.base + "/v2/")
			if err == nil {
				response.Body.Close()
			}
			if refused := err != nil; refused != test.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestDrain ends the server in the middle of an upload, which must still succeed.
func TestDrain(t *testing.T) {
	i := start(t, registrytest.Parse(t, inMemory), &http.Client{})
	writer, status := i.slowUpload(t, "first half, ", "second half")
	i.stop()
	poll.Until(t, "the listener to close", func() bool {
		conn, err := net.Dial("tcp", i.server.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if _, err := writer.Write([]byte("second half")); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if got := <-status; got != http.StatusCreated {
		t.Errorf("the upload ended with status %d", got)
	}
	if err := <-i.ended; err != nil {
		t.Error(err)
	}
}

func TestDrainEnds(t *testing.T) {
	config := registrytest.Parse(t, inMemory)
	config.HTTP.DrainTimeout = 50 * time.Millisecond
	i := start(t, config, &http.Client{})
	writer, status := i.slowUpload(t, "first half, ", "never sent")
	i.stop()
	if err := <-i.ended; err == nil || !strings.Contains(err.Error(), "http.draintimeout: 50ms: not every request finished in time") {
		t.Errorf("got %v", err)
	}
	writer.Close()
	if got := <-status; got != 0 {
		t.Errorf("the upload ended with status %d", got)
	}
}

// slowUpload sends the first part of a blob; the caller sends the rest. The status
// is 0 when the connection broke.
func (i *instance) slowUpload(t *testing.T, first, rest string) (*io.PipeWriter, <-chan int) {
	t.Helper()
	response := i.do(t, http.MethodPost, "/v2/team/app/blobs/uploads/", nil)
	body(t, response)
	digest := sha256.Sum256([]byte(first + rest))
	reader, writer := io.Pipe()
	request, err := http.NewRequest(http.MethodPut, response.Header.Get("Location")+"&digest=sha256:"+hex.EncodeToString(digest[:]), reader)
	if err != nil {
		t.Fatal(err)
	}
	status := make(chan int, 1)
	go func() {
		response, err := i.client.Do(request)
		if err != nil {
			status <- 0
			return
		}
		response.Body.Close()
		status <- response.StatusCode
	}()
	if _, err := writer.Write([]byte(first)); err != nil {
		t.Fatal(err)
	}
	for <-i.entered != http.MethodPut {
	}
	return writer, status
}

func TestStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		name, yaml, want string
	}{
		{"the engine panics", "storage: {inmemory: {}}\nauth: {unheard: {}}\n", "the engine refuses to start: unable to configure authorization (unheard)"},
		{"a driver that is not there", "storage: {nfs: {}}\n", "nfs"},
		{"a chunk larger than the memory", "storage: {s3: {bucket: images, region: eu-central-1, chunksize: 5368709120}}\n", "storage.s3.chunksize: 5368709120 is too much for GOMEMLIMIT"},
		{"no certificate", inMemory + "http: {tls: {certificate: /nonexistent, key: /nonexistent}}\n", "http.tls.certificate: open /nonexistent"},
		{"address in use", inMemory + "http: {addr: '" + taken.Addr().String() + "'}\n", "http.addr: listen tcp"},
		{"debug address in use", inMemory + "http: {addr: '127.0.0.1:0', debug: {addr: '" + taken.Addr().String() + "'}}\n", "http.debug.addr: listen tcp"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(registrytest.Parse(t, test.yaml), own{}, nil, registrytest.Silent())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "goroutine") {
				t.Errorf("the error shows a stack: %v", err)
			}
		})
	}
}

func TestHeadersOfEndpointsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	logrus.SetOutput(&log)
	defer logrus.SetOutput(io.Discard)
	_, err := newEngine(t.Context(), registrytest.Parse(t, inMemory+"notifications: {endpoints: [{name: hook, url: 'http://127.0.0.1:1/', headers: {Authorization: [hunter2]}}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("logged: %s", log.String())
	}
}

func TestCredentialsInRequestLine(t *testing.T) {
	i := start(t, registrytest.Parse(t, inMemory), &http.Client{})
	conn, err := net.Dial("tcp", i.server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET http://alice:hunter2@localhost/v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("got %s", answer)
	}
}

func (i *instance) do(t *testing.T, method, path string, content io.Reader) *http.Response {
	t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = i.base + path
	}
	request, err := http.NewRequest(method, path, content)
	if err != nil {
		t.Fatal(err)
	}
	response, err := i.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// push uploads a blob the way clients do and returns its digest.
func (i *instance) push(t *testing.T, repository string, content io.Reader) string {
	t.Helper()
	response := i.do(t, http.MethodPost, "/v2/"+repository+"/blobs/uploads/", nil)
	body(t, response)
	location := strings.TrimPrefix(response.Header.Get("Location"), i.base)

	hash := sha256.New()
	response = i.do(t, http.MethodPatch, location, io.TeeReader(content, hash))
	body(t, response)
	location = strings.TrimPrefix(response.Header.Get("Location"), i.base)

	digest := "sha256:" + hex.EncodeToString(hash.Sum(nil))
	response = i.do(t, http.MethodPut, location+"&digest="+digest, nil)
	if text := body(t, response); response.StatusCode != http.StatusCreated {
		t.Fatalf("push: %s: %s", response.Status, text)
	}
	return digest
}

func body(t *testing.T, response *http.Response) []byte {
	t.Helper()
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func htpasswd(t testing.TB, name, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, []byte(name+":"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
