package mirror

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// eachTime makes the engine ask how to log in before each request. The engine looks up what it knows by the
// whole address of the upstream, but stores it by the address without the part after a "#". So it finds
// nothing, and asks again. Otherwise it would ask only once.
const eachTime = "#mirror"

// asksHow says whether the request is the engine's question how to log in.
func (u *Upstream) asksHow(r *http.Request) bool {
	return r.URL.Host == u.host && strings.HasSuffix(r.URL.Path, "/v2/")
}

// how answers the engine with what the upstream said last. If the upstream has refused a login since, it is
// asked again, but no more often than one that is away: a client that wants a tag waits for it.
func (u *Upstream) how(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	known, now := u.challenges, time.Now()
	due := len(known) == 0 || u.doubted && now.Sub(u.askedHow) >= pause
	if due {
		u.doubted, u.askedHow = false, now
	}
	u.mu.Unlock()
	if due {
		response, err := u.send(r)
		u.mu.Lock()
		u.askedHow = time.Now()
		u.mu.Unlock()
		if err == nil && (response.StatusCode == http.StatusUnauthorized || !isRefused(response)) {
			u.learn(response)
			return response, nil
		}
		if len(known) == 0 {
			return response, err
		}
		// If the upstream fails, that does not mean that no login is needed now.
		if err == nil {
			_ = response.Body.Close()
		}
	}
	header := http.Header{"Www-Authenticate": slices.Clone(known)}
	return &http.Response{StatusCode: http.StatusUnauthorized, Request: r, Header: header, Body: http.NoBody}, nil
}

// learn removes from the response what a mirror without a login cannot do. The engine would fail before it has
// asked for anything, and nobody would learn why.
func (u *Upstream) learn(response *http.Response) {
	challenges := response.Header.Values("WWW-Authenticate")
	if u.anonymous {
		challenges = slices.DeleteFunc(challenges, func(each string) bool {
			scheme, _, _ := strings.Cut(strings.TrimSpace(each), " ")
			return strings.EqualFold(scheme, "basic")
		})
		response.Header["Www-Authenticate"] = challenges
	}
	if response.StatusCode != http.StatusUnauthorized {
		challenges = nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.challenges = challenges
}
