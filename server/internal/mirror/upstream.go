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
	// connectTimeout is for the upstream, which has to be nearer than an answer from
	// the cache is urgent.
	connectTimeout = 5 * time.Second
	// answerTimeout is for the beginning of an answer, which an upstream may have to fetch itself.
	answerTimeout = 20 * time.Second
	// pause is for how long a host that could not be reached is not asked again.
	// The engine asks it about every tag, one request after the other.
	pause = 2 * time.Second
	// silence is for how long the log does not repeat a refusal.
	silence = time.Minute
)

// errAway is a request that was not sent.
var errAway = errors.New("it could not be reached a moment ago")

// unreachable is what clients hear of it.
var unreachable = &refusal{
	code:       errcode.ErrorCodeUnavailable,
	text:       "the upstream cannot be reached, and this is not cached",
	retryAfter: strconv.Itoa(int(pause / time.Second)),
}

// elsewhere is a host of the upstream's choice that can't be reached, for tokens or content.
func elsewhere(host string) *refusal {
	return &refusal{unreachable.code, unreached, unreached + ": " + host, unreachable.retryAfter}
}

const unreached = "a host that the upstream sends to cannot be reached"

// Upstream sends requests to the upstream, and none to one that is away.
type Upstream struct {
	base http.RoundTripper
	// host is the upstream's own.
	url, host string
	// encrypted is whether nobody on the way there sees a password.
	encrypted bool
	// anonymous is whether the mirror has no login there.
	anonymous bool
	log       *logrus.Entry

	mu sync.Mutex
	// away is when each host was last found away that has not answered since.
	away map[string]time.Time
	// seen is what the page tells.
	seen State
	// challenged is whether /v2/ asked for a login, and challenges what the engine can do of what it asked for.
	challenged bool
	challenges []string
	// askedHow is when /v2/ was asked last, and doubted whether a login was refused since.
	askedHow time.Time
	doubted  bool
	// refused is when the log last had each kind of refusal.
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
	// The engine doesn't start with what is no URL.
	if parsed, err := url.Parse(remote); err == nil {
		u.host = parsed.Host
	}
	return u
}

// isTag says whether the path of a manifest ends with a tag.
func isTag(urlPath string) bool { return digest.Digest(path.Base(urlPath)).Validate() != nil }

// State is what the last requests of this server showed of its upstream.
type State struct {
	// Asked is when it was asked last, and Answered when it answered last; zero before that.
	Asked, Answered time.Time
	// Away is set while it can't be reached, and Since is since when that is so, or isn't; zero before the first request.
	Away  bool
	Since time.Time
	// Refusal is what it refused last, without its own words, and Refused when; empty for nothing.
	Refusal string
	Refused time.Time
}

// State is how the upstream is. It is not asked for that.
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
		// Of all pages the engine makes one answer.
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
	// The engine's question how to log in belongs to no client, and is always refused.
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
		// Layers are packed already, and what unpacks zstd takes as much memory as its sender says.
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
		// Its body is all that comes, also when the client has gone.
		response.Body.Close()
		return nil, switched
	}
	return response, err
}

// inClear is why a login, or what one is got with, is not sent.
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

// errUnwanted is how content ends that no client wants.
var errUnwanted = errors.New("the client asks for no content")

// unwanted is for the engine, which fetches a blob also for a client that only asks about it. With
// a byte of it the engine begins its answer, and at the error forgets what it has of the blob.
func unwanted(r *http.Request) *http.Response {
	content := io.MultiReader(strings.NewReader(" "), failed{errUnwanted})
	return &http.Response{StatusCode: http.StatusOK, Request: r, Header: http.Header{}, Body: io.NopCloser(content)}
}

func (u *Upstream) noteRefusal(refusal *refusal) {
	if refusal == nil || refusal == unreachable {
		return // the latter is noted by itself
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
		// The upstream chooses the others, as many as it likes.
		maps.DeleteFunc(u.away, func(each string, at time.Time) bool { return each != u.host && now.Sub(at) >= pause })
		u.away[host] = now
	} else {
		delete(u.away, host)
	}
	if host != u.host {
		return // told as a refusal
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
