package mirror_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/command"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/registrytest"
)

// TestMain is the server itself in processes that tests start, and the credential helper in those that the
// engine starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "serve" || os.Args[1] == mirror.Command) {
		if err := command.Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const upstreamPassword = "s3cret"

// blobs is the number of blobs at the end of the row before another one.
func blobs(number int, before string) string {
	return fmt.Sprintf("<td class=\"number\">%d</td></tr>\n      <tr><th scope=\"row\">%s", number, before)
}

// TestMirror has an upstream that is away while the mirror starts, then answers, and is
// away again; and a mirror that is killed.
func TestMirror(t *testing.T) {
	for _, scheme := range []string{"", "Basic", "Bearer"} {
		t.Run("login "+scheme, func(t *testing.T) {
			t.Parallel()
			upstream := newUpstream(t, scheme)
			folder := t.TempDir()
			m := &mirrorProcess{t: t, folder: folder, upstream: upstream.server.URL, ttl: "1h", login: scheme != ""}

			upstream.away.Store(true)
			m.start()
			for _, path := range []string{"manifests/latest", "manifests/" + absent, "blobs/" + absent} {
				if status, content := m.get(path); status != http.StatusServiceUnavailable || !strings.Contains(string(content), "the upstream cannot be reached") {
					t.Errorf("%s without the upstream: %d: %s", path, status, content)
				}
			}
			upstream.away.Store(false)
			m.untilPulled("latest")
			m.pull()
			m.shows("answers</span>", `<td class="name">library/app</td>`, blobs(0, "Misses"), blobs(2, "Fetched"))

			upstream.away.Store(true)
			m.kill()
			m.start()
			m.pull()
			m.shows("cannot be reached</span>", blobs(2, "Misses"), blobs(0, "Fetched"), "100 %")
			if report := m.size(); !strings.HasPrefix(report, "1 repositories, 3 blobs, 0.") {
				t.Errorf("the size is %q", report)
			}

			// What was cached for an hour expires by the new lifetime.
			m.kill()
			m.ttl = "1s"
			m.start()
			m.until("an empty cache", func() bool { status, _ := m.get("manifests/latest"); return status != http.StatusOK })
			m.until("no layers", func() bool { return strings.Contains(m.size(), " 1 blobs") })
			// The engine leaves the content of a manifest behind.
			m.kill()
			m.start()
			if report := m.size(); report != "1 repositories, 0 blobs, 0.0 MB" {
				t.Errorf("the size at last is %q", report)
			}
			m.kill()
			if log := m.log.String(); strings.Contains(log, upstreamPassword) || !strings.Contains(log, "the upstream cannot be reached") {
				t.Errorf("the log is:\n%s", log)
			}
		})
	}
}

// absent is the digest of content that no registry has.
var absent = digest.FromString("absent").String()

// TestMirrorTellsRefusals has an upstream that refuses what the mirror asks it, or the
// mirror's login at its token server.
func TestMirrorTellsRefusals(t *testing.T) {
	for _, test := range []struct {
		upstream, mirror int
		code, log        string
		// anonymous is for a mirror without a login.
		anonymous string
	}{
		{http.StatusUnauthorized, http.StatusUnauthorized, "UNAUTHORIZED", "the upstream refused the mirror's login: 401 Unauthorized", "the upstream wants a login, and the mirror sends none: 401 Unauthorized"},
		{http.StatusForbidden, http.StatusForbidden, "DENIED", "the upstream denied access to the mirror's login: 403 Forbidden", "the upstream denied access to a mirror without a login: 403 Forbidden"},
		{http.StatusTooManyRequests, http.StatusTooManyRequests, "TOOMANYREQUESTS", "the upstream's limit of pulls is reached: 429 Too Many Requests", ""},
		{http.StatusBadGateway, http.StatusServiceUnavailable, "UNAVAILABLE", "the upstream failed: 502 Bad Gateway", ""},
	} {
		for _, scheme := range []string{"", "Basic", "Bearer"} {
			t.Run(fmt.Sprintf("%d %s", test.upstream, scheme), func(t *testing.T) {
				t.Parallel()
				reason := test.log
				if scheme == "" {
					reason = cmp.Or(test.anonymous, reason)
				}
				upstream := newUpstream(t, scheme)
				m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h", login: scheme != ""}
				m.start()
				m.pull()
				for _, path := range []string{"manifests/none", "manifests/" + absent, "blobs/" + absent} {
					if status, content := m.get(path); status != http.StatusNotFound {
						t.Errorf("%s, which the upstream lacks: %d: %s", path, status, content)
					}
				}
				upstream.refusal.Store(int32(test.upstream))
				for _, path := range []string{"manifests/none", "manifests/" + absent, "blobs/" + absent} {
					response, content := m.ask(path)
					if response.StatusCode != test.mirror || response.Header.Get("Retry-After") != "17" ||
						!strings.Contains(string(content), `"code":"`+test.code+`"`) || !strings.Contains(string(content), reason) {
						t.Errorf("%s: %s, %q: %s", path, response.Status, response.Header, content)
					}
					// The engine asks for a blob by HEAD, which is answered without words.
					if strings.HasPrefix(path, "manifests/") && !strings.Contains(string(content), refusalWords) {
						t.Errorf("%s: the upstream's words are not in %s", path, content)
					}
				}
				m.pull()
				upstream.refusal.Store(0)
				if status, content := m.get("manifests/none"); status != http.StatusNotFound {
					t.Errorf("once the upstream answers again: %d: %s", status, content)
				}
				m.kill()
				if log := m.log.String(); strings.Count(log, `msg="`+reason+": of_the_upstream: "+refusalWords) != 1 || strings.Contains(log, upstreamPassword) {
					t.Errorf("the log is:\n%s", log)
				}
			})
		}
	}
}

// TestMirrorIsBounded deletes what was pulled longest ago, including what was cached before there was a bound.
func TestMirrorIsBounded(t *testing.T) {
	upstream := newUpstream(t, "")
	for i, tag := range []string{"1", "2", "3", "4"} {
		upstream.push.Push(t, "library/app", tag, registrytest.Layer(uint64(10+i), 400_000))
	}
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	for _, tag := range []string{"1", "2", "3"} {
		m.pullTag(tag)
	}
	m.kill()
	m.most = 1_000_000
	m.start()
	// has pulls what is cached, the first longest ago, and expects something else not to be cached.
	has := func(tags []string, missing string) {
		t.Helper()
		m.until("room", func() bool { return strings.Contains(m.size(), " 0.8 MB") })
		upstream.away.Store(true)
		defer upstream.away.Store(false)
		for _, tag := range tags {
			m.pullTag(tag)
		}
		if status, _ := m.get("manifests/" + missing); status != http.StatusServiceUnavailable {
			t.Errorf("%s, pulled longest ago: %d", missing, status)
		}
	}
	has([]string{"3", "2"}, "1")
	m.shows("Above 1.0 MB, what was pulled longest ago goes first")
	m.untilPulled("4")
	m.pullTag("4")
	has([]string{"2", "4"}, "3")
	m.untilPulled("3")
	m.pullTag("3")
}

// TestMirrorLetsGo has clients leave while a layer comes from an upstream that has stalled: their
// connections end, and so do those to the upstream.
func TestMirrorLetsGo(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	image := m.image("latest")
	files := func() int {
		list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", m.process.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	upstream.stalls.Store(true)
	before := files()
	ctx, leave := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.base+"/v2/library/app/blobs/"+image.Layers[0].Digest.String(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			if response, err := http.DefaultClient.Do(request); err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	m.until("all that is asked", func() bool { return upstream.stalled.Load() == 20 })
	leave()
	clients.Wait()
	http.DefaultClient.CloseIdleConnections()
	m.until("an end", func() bool { return upstream.stalled.Load() == 0 && files() < before+5 })
	upstream.stalls.Store(false)
	m.pull()
}

// TestMirrorRebuildsItsList starts on a cache whose list of what expires is broken, or lacks
// what was cached before a crash.
func TestMirrorRebuildsItsList(t *testing.T) {
	for _, list := range []string{"{", "{}"} {
		upstream := newUpstream(t, "")
		m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
		m.start()
		m.pull()
		m.kill()
		if err := os.WriteFile(filepath.Join(m.folder, "cache", "scheduler-state.json"), []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		m.start()
		m.kill()
		content, err := os.ReadFile(filepath.Join(m.folder, "cache", "scheduler-state.json"))
		var entries map[string]struct{ EntryType int }
		if err != nil || json.Unmarshal(content, &entries) != nil || len(entries) != 3 {
			t.Errorf("with %q: %v, %s", list, err, content)
		}
	}
}

// TestMirrorRefusesForgedManifest has an upstream that answers with another manifest than
// the one whose digest was asked for.
func TestMirrorRefusesForgedManifest(t *testing.T) {
	upstream := newUpstream(t, "")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.server.URL, ttl: "1h"}
	m.start()
	upstream.forges.Store(true)
	asked := digest.FromString("another manifest").String()
	for range 2 {
		if status, content := m.get("manifests/" + asked); status == http.StatusOK || status == http.StatusNotModified {
			t.Errorf("%s got %d: %s", asked, status, content)
		}
	}
	if report := m.size(); !strings.Contains(report, " 0 blobs") {
		t.Errorf("the forged manifest was kept: %s", report)
	}
	upstream.forges.Store(false)
	m.pull()
}

// upstream is a registry with one image, library/app:latest.
type upstream struct {
	server *httptest.Server
	away   atomic.Bool
	// forges makes the image's manifest the response to every digest.
	forges atomic.Bool
	// stalls makes layers stop half way, and stalled counts those that do.
	stalls  atomic.Bool
	stalled atomic.Int32
	// breaks makes layers end half way, and dawdles makes them take a while. content counts the requests for a
	// layer.
	breaks, dawdles atomic.Bool
	content         atomic.Int32
	// refusal is the status of every response except that to the question how to log in.
	refusal atomic.Int32
	// referrers and tags answer requests for those, nil if the upstream does not know such requests.
	referrers, tags atomic.Pointer[http.HandlerFunc]
	// push is a client of it.
	push registrytest.Client
}

const refusalWords = "not today, and here is why"

func newUpstream(t *testing.T, scheme string) *upstream {
	app := handlers.NewApp(t.Context(), registrytest.Parse(t, "storage: {inmemory: {}}\nlog: {level: error}\n"))
	filling := httptest.NewServer(app)
	t.Cleanup(filling.Close)
	u := &upstream{push: registrytest.Client{URL: filling.URL}}
	u.push.Push(t, "library/app", "latest", registrytest.Layer(1, 100_000))

	u.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		known := password == upstreamPassword
		challenge := func(text string) {
			w.Header().Set("WWW-Authenticate", text)
			w.WriteHeader(http.StatusUnauthorized)
		}
		switch {
		case u.away.Load():
			if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
				connection.Close()
			}
		case u.refusal.Load() != 0 && r.URL.Path != "/v2/":
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(int(u.refusal.Load()))
			fmt.Fprintf(w, `{"errors":[{"code":"OF_THE_UPSTREAM","message":%q}]}`, refusalWords)
		case scheme == "Bearer" && r.URL.Path == "/token" && known:
			fmt.Fprint(w, `{"token": "valid", "expires_in": 300}`)
		case scheme == "Bearer" && r.Header.Get("Authorization") != "Bearer valid":
			challenge(`Bearer realm="` + u.server.URL + `/token",service="test"`)
		case scheme == "Basic" && !known:
			challenge(`Basic realm="test"`)
		case r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/"):
			u.content.Add(1)
			u.serveContent(w, r, app)
		case u.forges.Load() && strings.Contains(r.URL.Path, "/manifests/sha256:"):
			asked := path.Base(r.URL.Path)
			forged := r.Clone(r.Context())
			forged.URL.Path = path.Dir(r.URL.Path) + "/latest"
			answer := httptest.NewRecorder()
			app.ServeHTTP(answer, forged)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Set("Docker-Content-Digest", asked)
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		case u.referrers.Load() != nil && strings.Contains(r.URL.Path, "/referrers/"):
			(*u.referrers.Load())(w, r)
		case u.tags.Load() != nil && strings.HasSuffix(r.URL.Path, "/tags/list"):
			(*u.tags.Load())(w, r)
		default:
			app.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(u.server.Close)
	return u
}

// serveContent sends a layer, or some of it.
func (u *upstream) serveContent(w http.ResponseWriter, r *http.Request, app http.Handler) {
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, r.Clone(context.WithoutCancel(r.Context())))
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	half := answer.Body.Len() / 2
	_, _ = w.Write(answer.Body.Next(half))
	_ = http.NewResponseController(w).Flush()
	switch {
	case u.stalls.Load():
		u.stalled.Add(1)
		<-r.Context().Done()
		u.stalled.Add(-1)
		return
	case u.breaks.Load():
		panic(http.ErrAbortHandler)
	case u.dawdles.Load():
		for range 20 {
			time.Sleep(20 * time.Millisecond)
			_, _ = w.Write(answer.Body.Next(half / 20))
			_ = http.NewResponseController(w).Flush()
		}
	}
	_, _ = w.Write(answer.Body.Bytes())
}

// mirrorProcess is a server in a process of its own.
type mirrorProcess struct {
	t        *testing.T
	folder   string
	upstream string
	ttl      string
	login    bool
	// most is what its cache may hold; 0 for no bound.
	most int
	// proxy is what else that section contains.
	proxy string

	base    string
	process *exec.Cmd
	log     bytes.Buffer
}

func (m *mirrorProcess) start() {
	m.t.Helper()
	address := registrytest.FreeAddress(m.t)
	login := ""
	if m.login {
		login = "username: u, password: " + upstreamPassword + ", "
	}
	bound := ""
	if m.most > 0 {
		bound = fmt.Sprintf(", mirror: {maxbytes: %d}", m.most)
	}
	content := fmt.Sprintf(`version: 0.1
storage: {filesystem: {rootdirectory: %s/cache}, delete: {enabled: true}}
http: {addr: '%s'}
server: {ui: {enabled: true}%s}
proxy: {remoteurl: '%s', %s%sttl: %s}
`, m.folder, address, bound, m.upstream, login, m.proxy, m.ttl)
	if err := os.WriteFile(m.file(), []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
	m.base = "http://" + address
	m.process = exec.Command(os.Args[0], "serve", m.file())
	m.process.Stdout, m.process.Stderr = &m.log, &m.log
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(m.kill)
	m.until("the start", func() bool {
		response, err := http.Get(m.base)
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	})
}

func (m *mirrorProcess) file() string { return filepath.Join(m.folder, "config.yml") }

func (m *mirrorProcess) kill() {
	_ = m.process.Process.Kill()
	_ = m.process.Wait()
}

func (m *mirrorProcess) until(what string, done func() bool) {
	m.t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			m.t.Fatalf("%s did not happen; the log is:\n%s", what, m.log.String())
		}
	}
}

// untilPulled waits for an upstream that answers.
func (m *mirrorProcess) untilPulled(tag string) {
	m.t.Helper()
	m.until("a pull", func() bool { status, _ := m.get("manifests/" + tag); return status == http.StatusOK })
}

// shows waits until the mirror's page has all of these texts, and no secret.
func (m *mirrorProcess) shows(texts ...string) {
	m.t.Helper()
	m.until(fmt.Sprintf("a page with %q", texts), func() bool {
		response, err := http.Get(m.base + "/ui/")
		if err != nil {
			m.t.Fatal(err)
		}
		defer response.Body.Close()
		page, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || bytes.Contains(page, []byte(upstreamPassword)) {
			m.t.Fatalf("%d: %v: %s", response.StatusCode, err, page)
		}
		return !slices.ContainsFunc(texts, func(text string) bool { return !bytes.Contains(page, []byte(text)) })
	})
}

func (m *mirrorProcess) get(path string) (int, []byte) {
	m.t.Helper()
	response, content := m.ask(path)
	return response.StatusCode, content
}

func (m *mirrorProcess) ask(path string) (*http.Response, []byte) {
	m.t.Helper()
	request, err := http.NewRequestWithContext(m.t.Context(), http.MethodGet, m.base+"/v2/library/app/"+path, nil)
	if err != nil {
		m.t.Fatal(err)
	}
	request.Header.Set("Accept", v1.MediaTypeImageManifest)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		m.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return response, content
}

// pull gets what the upstream has from the start.
func (m *mirrorProcess) pull() {
	m.t.Helper()
	m.pullTag("latest")
}

// image is the manifest of an image.
func (m *mirrorProcess) image(tag string) (image v1.Manifest) {
	m.t.Helper()
	status, content := m.get("manifests/" + tag)
	if err := json.Unmarshal(content, &image); err != nil || status != http.StatusOK {
		m.t.Fatalf("status %d: %v: %s\n%s", status, err, content, m.log.String())
	}
	return image
}

// pullTag gets an image and compares its parts with their digests.
func (m *mirrorProcess) pullTag(tag string) {
	m.t.Helper()
	image := m.image(tag)
	for _, part := range append(image.Layers, image.Config) {
		if status, content := m.get("blobs/" + part.Digest.String()); status != http.StatusOK || digest.FromBytes(content) != part.Digest {
			m.t.Fatalf("blob %s: status %d, %d bytes", part.Digest, status, len(content))
		}
	}
}

func (m *mirrorProcess) size() string {
	m.t.Helper()
	var stdout bytes.Buffer
	if err := command.Run(context.Background(), []string{"size", m.file()}, strings.NewReader(""), &stdout, io.Discard); err != nil {
		m.t.Fatal(err)
	}
	return strings.TrimSpace(stdout.String())
}
