package mirror

import (
	"cmp"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// realm is in a challenge where tokens are.
var realm = regexp.MustCompile(`(?i)\bbearer\s.*?realm="([^"]*)"`)

// refusalOf is nil for an answer that the engine can do with. It tells a login that was refused
// from one that wasn't sent: the engine sends what /v2/ asks for, and to no other domain.
func (u *upstream) refusalOf(r *http.Request, response *http.Response) *refusal {
	if r.URL.Host == u.host && strings.HasSuffix(r.URL.Path, "/v2/") {
		u.mu.Lock()
		u.challenged = response.StatusCode == http.StatusUnauthorized
		u.mu.Unlock()
	}
	refusal := cmp.Or(refusalOf(response), unkept(r, response))
	challenge := strings.Join(response.Header.Values("WWW-Authenticate"), ", ")
	if response.StatusCode != http.StatusUnauthorized || challenge == "" || r.Header.Get("Authorization") != "" ||
		r.Response != nil || !slices.Contains(kinds, kindOf(r.URL.Path)) {
		return refusal
	}
	const kind = "the upstream wants a login, and the mirror sends none"
	refusal.text = strings.Replace(refusal.text, refusal.kind, kind+u.unsent(challenge), 1)
	refusal.kind = kind
	return refusal
}

// unsent is why the engine sent no login; empty where it may have none.
func (u *upstream) unsent(challenge string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.challenged {
		return ": its /v2/ asks for none"
	}
	if found := realm.FindStringSubmatch(challenge); found != nil {
		if where, err := url.Parse(found[1]); err == nil && where.Host != "" && where.Host != u.host {
			return " to " + where.Host + ", which is another domain"
		}
	}
	return ""
}
