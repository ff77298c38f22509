package mirror

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// eachTime has the engine ask how to log in before each request. It looks for what it knows by all
// of the upstream's address, and keeps it by the address without what follows a "#". So it finds
// nothing: else it would never ask again.
const eachTime = "#mirror"

// asksHow says whether the engine asks how to log in.
func (u *Upstream) asksHow(r *http.Request) bool {
	return r.URL.Host == u.host && strings.HasSuffix(r.URL.Path, "/v2/")
}

// how answers the engine with what the upstream said last. The upstream is asked again when it has
// refused a login since, and not more often than one that is away: who wants a tag waits for that.
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
		// Who fails does not say that it goes without a login now.
		if err == nil {
			_ = response.Body.Close()
		}
	}
	header := http.Header{"Www-Authenticate": slices.Clone(known)}
	return &http.Response{StatusCode: http.StatusUnauthorized, Request: r, Header: header, Body: http.NoBody}, nil
}

// learn takes from the answer what a mirror without a login can't do: the engine would fail before it
// has asked for anything, and nobody would hear why.
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
