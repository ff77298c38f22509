package access

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/distribution/distribution/v3/registry/auth"

	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/credential"
	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/token"
)

// tokenAnswer is the answer of the token endpoint. Clients read one of the two names.
type tokenAnswer struct {
	Token       string `json:"token"`
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	IssuedAt    string `json:"issued_at"`
}

// serveToken gives a token for what the client asks for, as far as it may have it:
// with a password to the user, without one to anybody.
func (c *Controller) serveToken(w http.ResponseWriter, r *http.Request) {
	users := c.source.Users()
	if users.Anonymous() == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet {
		// Docker and containerd try a POST with the password first, and go on with GET.
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	p, err := c.tokenPrincipal(r, users)
	var refused *credential.Refused
	switch {
	case errors.As(err, &refused):
		tooMany(refused).write(w)
		return
	case err != nil:
		w.Header().Set("WWW-Authenticate", c.basicChallenge())
		// The client is gone when this fails.
		_ = errcode.ServeJSON(w, errcode.ErrorCodeUnauthorized)
		return
	}
	accesslog.SetUser(r.Context(), p.user)
	now := time.Now()
	text, err := c.tokens.Issue(token.Claims{Subject: p.user, Password: p.password, Access: p.grants(r.URL.Query()["scope"])}, now)
	switch {
	case errors.Is(err, token.ErrTooLong):
		http.Error(w, "too many scopes at once: "+err.Error(), http.StatusBadRequest)
		return
	case err != nil:
		c.log.Errorf("token: %v", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(tokenAnswer{text, text, int(token.Lifetime.Seconds()), now.UTC().Format(time.RFC3339)})
}

func (c *Controller) tokenPrincipal(r *http.Request, users *htpasswd.Users) (*principal, error) {
	defer r.Header.Del("Authorization")
	if r.Header.Get("Authorization") == "" {
		return &principal{rights: *users.Anonymous()}, nil
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return nil, errNoCredentials
	}
	return c.login(r, users, user, password)
}

// grants are the parts of the scopes that the principal may have. A scope is
// type:name:action,action; one parameter may hold several.
func (p *principal) grants(scopes []string) []token.Grant {
	var grants []token.Grant
	asks := strings.Fields(strings.Join(scopes, " "))
	slices.Sort(asks)
	for _, scope := range slices.Compact(asks) {
		kind, rest, _ := strings.Cut(scope, ":")
		colon := strings.LastIndex(rest, ":")
		if colon < 0 {
			continue
		}
		grant := token.Grant{Type: kind, Name: rest[:colon]}
		asked := strings.Split(rest[colon+1:], ",")
		if kind == "repository" && slices.Contains(asked, "*") {
			asked = []string{"pull", "push", "delete"}
		}
		for _, action := range asked {
			access := auth.Access{Resource: auth.Resource{Type: kind, Name: grant.Name}, Action: action}
			// The catalog is filtered when it is asked for.
			if p.may(access, &decision{filtersCatalog: true}) {
				grant.Actions = append(grant.Actions, action)
			}
		}
		if len(grant.Actions) > 0 {
			grants = append(grants, grant)
		}
	}
	return grants
}
