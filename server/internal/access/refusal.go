package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/distribution/distribution/v3/registry/auth"

	"container-registry/server/internal/credential"
	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/token"
)

// Why a request is refused, for who keeps a record of it.
const (
	NotAllowed  = "not allowed for this user"
	NotLoggedIn = "not logged in"
)

var errDenied = errors.New(NotAllowed)

// refuse finds the answer to a request that may not go on: a challenge when other
// credentials may help, a denial otherwise. For the engine both are challenges.
func (c *Controller) refuse(r *http.Request, d *decision, users *htpasswd.Users, reason error, accesses []auth.Access) error {
	var refused *credential.Refused
	switch {
	case errors.As(reason, &refused):
		d.denial = tooMany(refused)
		return challenge{reason: reason}
	case errors.Is(reason, errDenied) && d.principal.user != "":
		d.denial = &denial{err: errcode.ErrorCodeDenied.WithDetail(accesses)}
		return challenge{reason: reason}
	default:
		return challenge{c.challengeHeader(r, users, reason, accesses), reason}
	}
}

// RefusalOf is why a request is refused that came through the handler; empty where it is not, where
// it is repeated without what was refused, and for a login that failed, which is told elsewhere.
func RefusalOf(ctx context.Context) string {
	d := decisionOf(ctx)
	var tooMany *credential.Refused
	switch {
	case d == nil || d.mountRefused || errors.Is(d.failure, credential.ErrWrong) || errors.As(d.failure, &tooMany):
		return ""
	case d.principal == nil || d.principal.user == "":
		return NotLoggedIn
	default:
		return NotAllowed
	}
}

// LetPull says whether who sent a request may pull from a repository, and otherwise answers
// as the engine does. The request has to come through the handler.
func (c *Controller) LetPull(w http.ResponseWriter, r *http.Request, repository string) bool {
	return c.let(w, r, auth.Access{Resource: auth.Resource{Type: "repository", Name: repository}, Action: "pull"})
}

// LetIn says the same of a request that needs no right but to be let in.
func (c *Controller) LetIn(w http.ResponseWriter, r *http.Request) bool { return c.let(w, r) }

func (c *Controller) let(w http.ResponseWriter, r *http.Request, wanted ...auth.Access) bool {
	_, err := c.Authorized(r, wanted...)
	if err == nil {
		return true
	}
	var refused auth.Challenge
	if !errors.As(err, &refused) {
		w.WriteHeader(http.StatusBadRequest)
		return false
	}
	refused.SetHeaders(r, w)
	// The client is gone when this fails.
	_ = errcode.ServeJSON(w, errcode.ErrorCodeUnauthorized.WithDetail(wanted))
	return false
}

// denial is an answer other than 401.
type denial struct {
	err        errcode.Error
	retryAfter time.Duration
}

func tooMany(refused *credential.Refused) *denial {
	return &denial{errcode.ErrorCodeTooManyRequests.WithMessage(refused.Error()), refused.Wait}
}

func (d *denial) write(w http.ResponseWriter) {
	if d.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(d.retryAfter.Seconds())))
	}
	// The client is gone when this fails.
	_ = errcode.ServeJSON(w, d.err)
}

// challenge implements auth.Challenge.
type challenge struct {
	header string
	reason error
}

func (c challenge) Error() string { return c.reason.Error() }

func (c challenge) SetHeaders(_ *http.Request, w http.ResponseWriter) {
	if c.header != "" {
		w.Header().Set("WWW-Authenticate", c.header)
	}
}

// challengeHeader asks for a password, or for a token when some may pull without
// login. Docker takes one scheme only: with Basic it sends a password always or
// never, so a registry that some use without login has to speak Bearer.
func (c *Controller) challengeHeader(r *http.Request, users *htpasswd.Users, reason error, accesses []auth.Access) string {
	if users.Anonymous() == nil {
		return c.basicChallenge()
	}
	header := fmt.Sprintf("Bearer realm=%q,service=%q", c.tokenURL(r), c.realm)
	if scope := scopeOf(accesses); scope != "" {
		header += fmt.Sprintf(",scope=%q", scope)
	}
	switch {
	case errors.Is(reason, token.ErrInvalid):
		header += `,error="invalid_token"`
	case errors.Is(reason, errDenied), errors.Is(reason, errNotEnough):
		header += `,error="insufficient_scope"`
	}
	return header
}

func (c *Controller) basicChallenge() string {
	return fmt.Sprintf("Basic realm=%q", c.realm)
}

// tokenURL is the address of the token endpoint as the client sees it.
func (c *Controller) tokenURL(r *http.Request) string {
	if c.host != "" {
		return c.host + c.tokenPath
	}
	// The client has to see one server: the engine's Location goes by the same headers.
	base, err := v2.NewURLBuilderFromRequest(r, false).BuildBaseURL()
	scheme, rest, found := strings.Cut(base, "://")
	if err != nil || !found {
		return c.tokenPath
	}
	host, _, _ := strings.Cut(rest, "/")
	if host == "" {
		// HTTP/1.0 lets a client name none.
		return c.tokenPath
	}
	return scheme + "://" + host + c.tokenPath
}

// scopeOf puts what a request needs into the words of a token request.
func scopeOf(accesses []auth.Access) string {
	var scopes []string
	actions := map[string][]string{}
	for _, a := range accesses {
		resource := a.Type + ":" + a.Name
		if actions[resource] == nil {
			scopes = append(scopes, resource)
		}
		if !slices.Contains(actions[resource], a.Action) {
			actions[resource] = append(actions[resource], a.Action)
		}
	}
	for i, resource := range scopes {
		scopes[i] = resource + ":" + strings.Join(actions[resource], ",")
	}
	return strings.Join(scopes, " ")
}
