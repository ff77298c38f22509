package mirror

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"golang.org/x/net/publicsuffix"
)

// realm finds the address of the token server in a challenge.
var realm = regexp.MustCompile(`(?i)\bbearer\s.*?realm="([^"]*)"`)

// loginless is the kind of a refusal for which no login was sent.
const loginless = "the upstream wants a login, and the mirror sends none"

// anonymously are the kinds that refusals of a login become if the mirror has none.
var anonymously = map[errcode.ErrorCode]string{
	errcode.ErrorCodeUnauthorized: loginless,
	errcode.ErrorCodeDenied:       "the upstream denied access to a mirror without a login",
}

// asRefusal makes a refusal of a response, whatever its status.
func (u *Upstream) asRefusal(response *http.Response) *refusal {
	refusal := asRefusal(response)
	if kind, ok := anonymously[refusal.code]; ok && u.anonymous {
		refusal.reword(kind, "")
	}
	return refusal
}

// refusalOf is nil for a response that the engine can use. It tells a login that was refused from one that was
// not sent: the engine sends only what /v2/ asks for, and to no other domain.
func (u *Upstream) refusalOf(r *http.Request, response *http.Response) *refusal {
	if u.asksHow(r) {
		u.mu.Lock()
		u.challenged = response.StatusCode == http.StatusUnauthorized
		u.mu.Unlock()
	}
	if !isRefused(response) {
		return cmp.Or(tokenless(r, response), unkept(r, response))
	}
	refusal := u.asRefusal(response)
	challenge := strings.Join(response.Header.Values("WWW-Authenticate"), ", ")
	if response.StatusCode == http.StatusUnauthorized && challenge != "" && r.Header.Get("Authorization") == "" &&
		r.Response == nil && slices.Contains(kinds, kindOf(r.URL.Path)) {
		refusal.reword(loginless, u.unsent(challenge))
	}
	return refusal
}

// tokenless is a refusal for every response of a token server. If the engine finds a token in the response, it
// continues, and the next response counts.
func tokenless(r *http.Request, response *http.Response) *refusal {
	if asked := began(r).URL.Path; strings.HasSuffix(asked, "/v2/") || slices.Contains(kinds, kindOf(asked)) {
		return nil
	}
	if isSuccess(response) {
		// The body may contain a token.
		return &refusal{code: errcode.ErrorCodeUnavailable, kind: noToken, text: noToken + ": " + response.Status}
	}
	refusal := asRefusal(response)
	refusal.reword(noToken, "")
	return refusal
}

const noToken = "the upstream's token server gives no token"

// unsent is why the engine sent no login. It is empty if there may be none to send.
func (u *Upstream) unsent(challenge string) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.challenged {
		return ": its /v2/ asks for none"
	}
	if found := realm.FindStringSubmatch(challenge); found != nil {
		if where, err := url.Parse(found[1]); err == nil && where.Host != "" && where.Host != u.host {
			return to(where)
		}
	}
	return ""
}

// to names the host that a login is not sent to.
func to(where *url.URL) string { return " to " + where.Host + ", which is another domain" }

// isStray says whether a request would carry the login away from the upstream's domain. The engine sends the
// login wherever a redirect of /v2/ leads, and takes all host names without a domain for the same domain.
func (u *Upstream) isStray(r *http.Request) bool {
	if _, _, login := r.BasicAuth(); !login || strings.EqualFold(r.URL.Host, u.host) {
		return false
	}
	name := (&url.URL{Host: u.host}).Hostname()
	if net.ParseIP(name) == nil && strings.EqualFold(r.URL.Hostname(), name) {
		return false
	}
	own := domainOf(name)
	return own == "" || own != domainOf(r.URL.Hostname())
}

// domainOf is the registered domain of a host, empty for an address or a name in the local network.
func domainOf(host string) string {
	if net.ParseIP(host) != nil {
		return ""
	}
	domain, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(host))
	if err != nil {
		return ""
	}
	return domain
}
