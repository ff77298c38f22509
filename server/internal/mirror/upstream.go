package mirror

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/heavy"
)

const (
	// connectTimeout limits connecting to an upstream. It is short because the response from the cache,
	// which is served if the upstream is away, has to wait for it.
	connectTimeout = 5 * time.Second
	// answerTimeout limits the wait for the beginning of a response, which the upstream may have to fetch
	// itself.
	answerTimeout = 20 * time.Second
	// pause is the time for which a host that could not be reached is not asked again. The engine asks about
	// every tag, one request after the other, and each would wait for connectTimeout.
	pause = 2 * time.Second
	// silence is the time for which the log does not repeat a refusal.
	silence = time.Minute
)

// errAway is the error of a request that was not sent because its host could not be reached a moment ago.
var errAway = errors.New("it could not be reached a moment ago")

// unreachable is what clients are told if the upstream cannot be reached.
var unreachable = &refusal{
	code:       errcode.ErrorCodeUnavailable,
	text:       "the upstream cannot be reached, and this is not cached",
	retryAfter: strconv.Itoa(int(pause / time.Second)),
}

// elsewhere is the refusal for a host that the upstream sends to, for tokens or content, and that cannot be
// reached.
func elsewhere(host string) *refusal {
	return &refusal{unreachable.code, unreached, unreached + ": " + host, unreachable.retryAfter}
}

const unreached = "a host that the upstream sends to cannot be reached"

// Upstream sends requests to the upstream, except to one that could not be reached a moment ago.
type Upstream struct {
	base http.RoundTripper
	// host is the host of url.
	url, host string
	// encrypted is whether url is one of https, so that nobody on the way to the upstream sees a password.
	encrypted bool
	// anonymous is whether the mirror has no login at the upstream.
	anonymous bool
	log       *logrus.Entry

	mu sync.Mutex
	// away maps hosts that could not be reached, and have not answered since, to the time of the last attempt.
	away map[string]time.Time
	// seen is the state that the page shows.
	seen State
	// challenged is whether /v2/ asked for a login. challenges are the ways to log in that it named and the
	// engine can use.
	challenged bool
	challenges []string
	// askedHow is when /v2/ was last asked how to log in. doubted is whether a login was refused since.
	askedHow time.Time
	doubted  bool
	// refused is when the log last reported each kind of refusal.
	refused map[errcode.ErrorCode]time.Time
}

func newUpstream(remote string, log *logrus.Entry) *Upstream {
	base := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: mostOfHeader,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
	}
	u := &Upstream{base: base, url: remote, log: log, away: map[string]time.Time{}, refused: map[errcode.ErrorCode]time.Time{}}
	u.encrypted = strings.HasPrefix(strings.ToLower(remote), "https://")
	// The engine does not start if remote is not a URL.
	if parsed, err := url.Parse(remote); err == nil {
		u.host = parsed.Host
	}
	return u
}

// isTag says whether the path of a manifest ends with a tag.
func isTag(urlPath string) bool { return digest.Digest(path.Base(urlPath)).Validate() != nil }

// State is what the last requests of this server showed of its upstream.
type State struct {
	// Asked is when the upstream was last asked, and Answered when it last answered. Both are zero before that.
	Asked, Answered time.Time
	// Away is set while it cannot be reached. Since is when Away last changed, zero before the first request.
	Away  bool
	Since time.Time
	// Refusal is what it last refused, without its own words, empty if nothing. Refused is the time of that
	// refusal.
	Refusal string
	Refused time.Time
}

// State returns what the last requests showed. It sends no request of its own.
func (u *Upstream) State() State {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen
}

// RoundTrip implements http.RoundTripper.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	h := heardOf(r.Context())
	if h.method == http.MethodHead && h.isContent(r) {
		return unwanted(r), nil
	}
	if h.kind == "tags" {
		// The engine makes one response of all pages, and holds it in memory.
		if err := heavy.Enter(r.Context()); err != nil {
			return nil, err
		}
	}
	send := u.send
	if q, ok := r.Context().Value(questionKey{}).(*question); ok {
		send = func(r *http.Request) (*http.Response, error) { return q.send(r, u) }
	} else if u.asksHow(r) {
		send = u.how
	}
	r = h.settled(r)
	response, err := send(r)
	if err == nil {
		response, err = completed(r, response, u.send)
	}
	var refusal *refusal
	switch {
	case err == nil:
		refusal = u.refusalOf(r, response)
		h.gone = h.gone || isGone(r, response)
	case errors.As(err, &refusal):
	case r.URL.Host != u.host && r.Context().Err() == nil:
		refusal = elsewhere(r.URL.Host)
	default:
		refusal = unreachable
	}
	// The engine asks how to log in outside of any client's request. No client is told of the refusal that it
	// always gets.
	h.asked, h.refusal = true, refusal
	h.missing = err == nil && response.StatusCode == http.StatusNotFound
	kind := kindOf(began(r).URL.Path)
	h.fetched = h.fetched || r.Method == http.MethodGet && (kind == "blobs" || kind == "manifests")
	if err != nil {
		return nil, err
	}
	h.bound(r, response)
	h.identify(r, response)
	return response, nil
}

func (u *Upstream) send(r *http.Request) (*http.Response, error) {
	if u.encrypted && r.URL.Scheme == "http" && (r.Header.Get("Authorization") != "" || r.Body != nil) {
		return nil, inClear(r.URL.Host)
	}
	if u.isStray(r) {
		return nil, &refusal{code: errcode.ErrorCodeUnauthorized, kind: loginless, text: loginless + to(r.URL)}
	}
	if u.isAway(r.URL.Host) {
		return nil, errAway
	}
	if r.Header.Get("Accept-Encoding") != "" {
		// Layers are compressed already, and decompressing zstd takes as much memory as the sender chooses.
		r = r.Clone(r.Context())
		r.Header.Set("Accept-Encoding", "identity")
	}
	response, err := u.base.RoundTrip(r)
	if err == nil || r.Context().Err() == nil {
		u.note(r.URL.Host, err)
	}
	if err == nil && strings.Contains(strings.ToLower(response.Header.Get("Content-Encoding")), "zstd") {
		response.Body.Close()
		return nil, packed
	}
	if err == nil && response.StatusCode == http.StatusSwitchingProtocols {
		// The body is then whatever comes over the connection, even after the client has gone.
		response.Body.Close()
		return nil, switched
	}
	return response, err
}

// inClear is the refusal for a request that would send a login, or a body that may contain one, without
// encryption.
func inClear(host string) *refusal {
	const kind = "the upstream wants the mirror's login without encryption"
	return &refusal{code: errcode.ErrorCodeUnavailable, kind: kind, text: kind + ": http://" + host}
}

var packed = &refusal{
	code: errcode.ErrorCodeUnavailable,
	kind: "the upstream packs by zstd what it sends",
	text: "the upstream packs by zstd what it sends, which nobody asked it for",
}

var switched = &refusal{
	code: errcode.ErrorCodeUnavailable,
	kind: "the upstream goes on in another protocol",
	text: "the upstream goes on in another protocol, which nobody asked it for",
}

// errUnwanted ends content that no client wants.
var errUnwanted = errors.New("the client asks for no content")

// unwanted stands in for a blob that the engine fetches although the client only asks about it. The first byte
// makes the engine begin its response, and the error makes it discard what it has of the blob.
func unwanted(r *http.Request) *http.Response {
	content := io.MultiReader(strings.NewReader(" "), failed{errUnwanted})
	return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: io.NopCloser(content)}
}

func (u *Upstream) noteRefusal(refusal *refusal) {
	if refusal == nil || refusal == unreachable {
		return // note logs the latter
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen.Refusal, u.seen.Refused = refusal.kind, time.Now()
	u.doubted = u.doubted || refusal.ofLogin()
	if time.Since(u.refused[refusal.code]) < silence {
		return
	}
	u.refused[refusal.code] = time.Now()
	log := u.log.WithField("upstream", u.url)
	if refusal.retryAfter != "" {
		log = log.WithField("retryafter", refusal.retryAfter)
	}
	log.Warnf("%s; what is cached is served", refusal.text)
}

func (u *Upstream) isAway(host string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return time.Since(u.away[host]) < pause
}

func (u *Upstream) note(host string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now, away := time.Now(), err != nil
	_, was := u.away[host]
	if away {
		// The upstream chooses the other hosts, and there may be any number of them.
		maps.DeleteFunc(u.away, func(each string, at time.Time) bool { return each != u.host && now.Sub(at) >= pause })
		u.away[host] = now
	} else {
		delete(u.away, host)
	}
	if host != u.host {
		return // reported as a refusal
	}
	log := u.log.WithField("upstream", u.url)
	if u.seen.Since.IsZero() || u.seen.Away != away {
		u.seen.Away, u.seen.Since = away, now
	}
	u.seen.Asked = now
	if !away {
		u.seen.Answered = now
	}
	switch {
	case away && !was:
		log.Warnf("the upstream cannot be reached, what is cached is served: %v", err)
	case was && !away:
		log.Info("the upstream answers again")
	}
}
