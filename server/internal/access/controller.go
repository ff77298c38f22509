// Package access decides who may do what. It is the engine's access controller under
// the name htpasswd, and the handler around the engine that gives the answers the
// engine cannot: it knows 401 only.
package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/auth"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/attempts"
	"container-registry/server/internal/clientaddress"
	"container-registry/server/internal/credential"
	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/paths"
	"container-registry/server/internal/token"
)

const (
	name = "htpasswd"
	// option is where New leaves the controller for the engine to find.
	option = "controller"
)

func init() {
	err := auth.Register(name, func(parameters map[string]any) (auth.AccessController, error) {
		c, ok := parameters[option].(*Controller)
		if !ok {
			return nil, errors.New("auth.htpasswd: the controller was not made before the engine")
		}
		return c, nil
	})
	if err != nil {
		panic(err)
	}
}

// Controller is an access controller and the handler that goes with it.
type Controller struct {
	realm       string
	source      *htpasswd.Source
	credentials *credential.Verifier
	tokens      *token.Issuer
	log         *logrus.Entry

	// host is http.host, empty when it was not given.
	host                   string
	headers                http.Header
	pingPath               string
	tokenPath, catalogPath string
	maxEntries             int
	onRefusal              func(*http.Request, string)
	// clocks is for the one line about those of servers that share their tokens.
	clocks sync.Once
}

// tolerance is for clocks that are not quite the same, as all are.
const tolerance = time.Minute

// New makes the controller of auth.htpasswd and tells the engine to use it. It is nil
// when the configuration has no such section.
func New(config *configuration.Configuration, log *logrus.Entry) (*Controller, error) {
	if config.Auth.Type() != name {
		return nil, nil
	}
	o, err := readOptions(config.Auth.Parameters())
	if err != nil {
		return nil, err
	}
	source, err := htpasswd.Open(o.path, log)
	if err != nil {
		return nil, fmt.Errorf("auth.htpasswd.path: %w", err)
	}
	base := paths.Base(config.HTTP.Prefix)
	c := &Controller{
		realm:       o.realm,
		source:      source,
		credentials: credential.New(o.cacheSize, o.cacheTTL, attempts.New(o.failures, o.window)),
		tokens:      token.NewIssuer(config.HTTP.Secret),
		log:         log,
		host:        strings.TrimSuffix(config.HTTP.Host, "/"),
		headers:     config.HTTP.Headers,
		pingPath:    base + "v2/",
		// Proxies pass what is under /v2/ on.
		tokenPath:   base + "v2/auth",
		catalogPath: base + "v2/_catalog",
		maxEntries:  config.Catalog.MaxEntries,
	}
	config.Auth[name][option] = c
	return c, nil
}

// Logins are how logins ended since the start.
func (c *Controller) Logins() map[credential.Result]int64 { return c.credentials.Results() }

// OnRefusal has a login that failed told with the name of its user, which is empty for a name
// that is no user's: it may be a password that was typed into the wrong field.
func (c *Controller) OnRefusal(tell func(r *http.Request, user string)) { c.onRefusal = tell }

// principal is who sent a request.
type principal struct {
	// user is empty for who is not logged in.
	user   string
	rights htpasswd.Rights
	// password is the one given, if one was.
	password htpasswd.Password
	// token limits the rights to what the client asked for, nil without a token.
	token *token.Claims
}

var (
	errNoCredentials = errors.New("no credentials given")
	errNotEnough     = errors.New("the token does not cover this")
)

// Authorized implements auth.AccessController.
func (c *Controller) Authorized(r *http.Request, accesses ...auth.Access) (*auth.Grant, error) {
	d := decisionOf(r.Context())
	if d == nil {
		return nil, errors.New("auth.htpasswd: the request did not come through the handler")
	}
	accesses = ofPusher(r, accesses)
	users := c.source.Users()
	if err := c.identify(r, d, users); err != nil {
		return nil, c.refuse(r, d, users, err, accesses)
	}
	for i, a := range accesses {
		if !d.principal.may(a, d) {
			// Every record after those of the repository itself is about the one to mount from.
			d.mountRefused = d.mayForgetMount && i > 0 && a.Name != accesses[0].Name
			return nil, c.refuse(r, d, users, errDenied, accesses)
		}
		if !d.principal.token.Covers(a.Type, a.Name, a.Action) {
			return nil, c.refuse(r, d, users, errNotEnough, accesses)
		}
	}
	return &auth.Grant{User: auth.UserInfo{Name: d.principal.user}}, nil
}

// ofPusher adds to what the engine wants of who asks how far an upload has come. The answer has the address
// at which it goes on, which is of no use to who may not push.
func ofPusher(r *http.Request, accesses []auth.Access) []auth.Access {
	asks := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !asks || len(accesses) == 0 || !strings.HasSuffix(path.Dir(r.URL.Path), "/blobs/uploads") {
		return accesses
	}
	return append(accesses, auth.Access{Resource: accesses[0].Resource, Action: "push"})
}

// identify finds out who sent the request, once for all its ways through the engine.
func (c *Controller) identify(r *http.Request, d *decision, users *htpasswd.Users) error {
	if d.principal == nil && d.failure == nil {
		d.principal, d.failure = c.authenticate(r, users)
		if d.failure == nil {
			accesslog.SetUser(r.Context(), d.principal.user)
		}
	}
	return d.failure
}

// authenticate takes the credentials out of the request, so that nothing after it can
// keep or log them.
func (c *Controller) authenticate(r *http.Request, users *htpasswd.Users) (*principal, error) {
	defer r.Header.Del("Authorization")
	if user, password, ok := r.BasicAuth(); ok {
		return c.login(r, users, user, password)
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, errNoCredentials
	}
	claims, err := c.tokens.Verify(users, strings.TrimSpace(value), time.Now())
	if err != nil {
		return nil, err
	}
	if ahead := time.Until(claims.Issued()); ahead > tolerance {
		c.clocks.Do(func() {
			c.log.Warnf("a token was made by a clock that is %s ahead of this server's, and is good for that much longer: it is of a server that refuses this one's tokens from five minutes on, or of before this clock was set back; set the clock that is wrong", ahead.Round(time.Second))
		})
	}
	switch {
	case claims.Subject != "":
		return &principal{user: claims.Subject, rights: users.Rights(claims.Subject), token: claims}, nil
	case users.Anonymous() != nil:
		return &principal{rights: *users.Anonymous(), token: claims}, nil
	default:
		return nil, errNoCredentials
	}
}

func (c *Controller) login(r *http.Request, users *htpasswd.Users, user, password string) (*principal, error) {
	found, err := c.credentials.Verify(r.Context(), users, clientaddress.Network(r.RemoteAddr), user, password)
	if errors.Is(err, credential.ErrWrong) {
		c.logRefusal(r, users, user)
	}
	if err != nil {
		return nil, err
	}
	return &principal{user: user, rights: users.Rights(user), password: found}, nil
}

// logRefusal leaves out a name that is no user's.
func (c *Controller) logRefusal(r *http.Request, users *htpasswd.Users, user string) {
	log := c.log.WithField("address", r.RemoteAddr)
	if users.Known(user) {
		log.WithField("user", user).Warn("login refused: wrong password")
	} else {
		user = ""
		log.Warn("login refused: unknown user")
	}
	if c.onRefusal != nil {
		c.onRefusal(r, user)
	}
}

func (p *principal) may(a auth.Access, d *decision) bool {
	switch a.Type + ":" + a.Action {
	case "repository:pull":
		return p.rights.Pull(a.Name)
	case "repository:push", "repository:delete":
		return p.rights.Push(a.Name)
	case "registry:*":
		// Only when what the user may not see is taken out of the answer.
		return a.Name == "catalog" && p.user != "" && (d.filtersCatalog || p.rights.PullEverything())
	default:
		return false
	}
}

// contextKey is the type of the key under which a request carries its decision.
type contextKey struct{}

// UserOf is the name of who sent a request; empty for who is not logged in.
func UserOf(ctx context.Context) string {
	if d := decisionOf(ctx); d != nil && d.principal != nil {
		return d.principal.user
	}
	return ""
}

func decisionOf(ctx context.Context) *decision {
	d, _ := ctx.Value(contextKey{}).(*decision)
	return d
}
