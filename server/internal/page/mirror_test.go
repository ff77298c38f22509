package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/registrytest"
)

// counted are holdings with a fixed answer.
type counted struct {
	all []holdings.Repository
	at  time.Time
}

func (c counted) Repositories() []holdings.Repository { return c.all }
func (c counted) Total() holdings.Total {
	return holdings.Total{Repositories: len(c.all), Tags: 7, Bytes: 5_000_000}
}
func (c counted) At() (time.Time, bool) { return c.at, !c.at.IsZero() }

// ask sends a request to the page.
func (m *Mirror) ask(method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	m.Around(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func mirrorOf(t *testing.T, proxy configuration.Proxy, parts MirrorParts) *Mirror {
	t.Helper()
	parts.Log = registrytest.Silent()
	if parts.Pulled == nil {
		parts.Pulled = func(string) time.Time { return time.Time{} }
	}
	if parts.Upstream == nil {
		parts.Upstream = func() mirror.State { return mirror.State{} }
	}
	if parts.Use == nil {
		parts.Use = func() mirror.Use { return mirror.Use{} }
	}
	return NewMirror(&configuration.Configuration{Proxy: proxy}, parts)
}

func TestMirror(t *testing.T) {
	hub := configuration.Proxy{RemoteURL: "https://user:hidden@registry-1.docker.io"}
	robot := hub
	robot.Username, robot.Password = "robot", "s3cret"
	kept := func(ttl time.Duration) configuration.Proxy {
		return configuration.Proxy{RemoteURL: hub.RemoteURL, TTL: &ttl}
	}
	before := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	state := func(s mirror.State) func() mirror.State { return func() mirror.State { return s } }
	two := counted{[]holdings.Repository{{Name: "library/app", Tags: 3, Bytes: 1_500_000}, {Name: "library/base", Tags: 4, Bytes: 3_500_000}}, before(3 * time.Hour)}
	for _, test := range []struct {
		name  string
		proxy configuration.Proxy
		parts MirrorParts
		query string
		has   string
		lacks string
	}{
		{"just started", hub, MirrorParts{Holdings: counted{}}, "", "Mirror of https://registry-1.docker.io|kept for 7 days|not asked yet|<dd>none</dd>|Nothing has been pulled yet|being counted", "hidden@|robot|Sort by"},
		{"a login", robot, MirrorParts{Holdings: counted{}}, "", "to everybody", "s3cret|robot|hidden@"},
		{"kept for less", kept(90 * time.Minute), MirrorParts{Holdings: counted{}}, "", "kept for 1h30m after", ""},
		{"kept for ever", kept(0), MirrorParts{Holdings: counted{}}, "", "kept for ever", "after it was fetched"},
		{
			"an upstream that answers", hub,
			MirrorParts{Holdings: two, Upstream: state(mirror.State{Answered: before(time.Minute), Since: before(5 * time.Hour)})}, "",
			"answers</span> without a failure for 5 hours|1 minute ago|library/app|library/base|2 repositories, 7 tags, 5.0 MB; all was counted|3 hours ago", "cannot be reached|Last refusal",
		},
		{
			"an upstream that is away", hub,
			MirrorParts{Holdings: two, Upstream: state(mirror.State{Away: true, Answered: before(2 * time.Hour), Since: before(time.Second)})}, "",
			"cannot be reached</span> for a moment|2 hours ago", ">answers<",
		},
		{
			"a limit", hub,
			MirrorParts{Holdings: two, Upstream: state(mirror.State{Answered: before(0), Since: before(0), Refusal: "the upstream's limit of pulls is reached", Refused: before(10 * time.Minute)})}, "",
			"Last refusal|10 minutes ago</time>: the upstream&#39;s limit of pulls is reached", "",
		},
		{
			"use", hub,
			MirrorParts{Holdings: two, Use: func() mirror.Use {
				return mirror.Use{Blobs: mirror.Counts{Requests: 30, Hits: 20, Misses: 10, BytesPulled: 2_000_000, BytesPushed: 9_000_000}, Manifests: mirror.Counts{Requests: 10, Hits: 5, Misses: 5}}
			}}, "",
			`62 %</span>|Hits</th><td class="number">5</td><td class="number">20</td>|Misses</th><td class="number">5</td><td class="number">10</td>|Fetched</th><td class="number">0 B</td><td class="number">2.0 MB</td>|<td class="number">9.0 MB</td>`, "",
		},
		{"a search", hub, MirrorParts{Holdings: two}, "?q=BASE", "library/base", "library/app"},
		{"a search for markup", hub, MirrorParts{Holdings: two}, "?q=%22%3E%3Cscript%3E", "Nothing was found|&lt;script&gt;", "<script>"},
		{
			"by the last pull", hub,
			MirrorParts{Holdings: two, Pulled: func(name string) time.Time { return map[string]time.Time{"library/base": before(time.Hour)}[name] }}, "?sort=pulled",
			`<tr><td class="name">library/base</td>|aria-current="true">Last pull`, "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := mirrorOf(t, test.proxy, test.parts).ask(http.MethodGet, "/ui/"+test.query)
			page := w.Body.String()
			for _, each := range strings.Split(test.has, "|") {
				if !strings.Contains(page, each) {
					t.Errorf("no %q", each)
				}
			}
			for _, each := range strings.FieldsFunc(test.lacks, func(r rune) bool { return r == '|' }) {
				if strings.Contains(page, each) {
					t.Errorf("there is %q", each)
				}
			}
			if t.Failed() {
				t.Log(page)
			}
		})
	}
}

func TestMirrorIsToLookAt(t *testing.T) {
	m := mirrorOf(t, configuration.Proxy{RemoteURL: "https://registry.example.com"}, MirrorParts{Holdings: counted{}})
	for path, want := range map[string]int{"GET /ui/": 200, "GET /ui": 303, "POST /ui/": 405, "GET /ui/cleanup": 404, "GET /ui/login": 404, "POST /ui/delete": 405, "GET /ui/style.css": 200, "GET /other": 404} {
		method, path, _ := strings.Cut(path, " ")
		if w := m.ask(method, path); w.Code != want {
			t.Errorf("%s %s: %d", method, path, w.Code)
		}
	}
	header := m.ask(http.MethodGet, "/ui/").Header()
	if !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("X-Frame-Options") != "DENY" || header.Get("Set-Cookie") != "" {
		t.Errorf("%v", header)
	}
}

func TestPeriod(t *testing.T) {
	for d, want := range map[time.Duration]string{
		168 * time.Hour: "7 days", 24 * time.Hour: "1 day", 36 * time.Hour: "36h", 90 * time.Minute: "1h30m", 30 * time.Minute: "30m", time.Hour + 5*time.Second: "1h0m5s", time.Second: "1s",
	} {
		if got := period(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
