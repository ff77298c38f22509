package access

import (
	"context"
	"net/http"

	"container-registry/server/internal/htpasswd"
)

// Users are those in force now.
func (c *Controller) Users() *htpasswd.Users { return c.source.Users() }

// Login checks a password that came by other means than a request to the engine, with the
// same limits. It returns nil, credential.ErrWrong, a *credential.Refused, or the error of
// the request's context.
func (c *Controller) Login(r *http.Request, user, password string) error {
	_, err := c.login(r, c.source.Users(), user, password)
	return err
}

type visitorKey struct{}

// As is the context of a request that a user sends by way of the page, where who it is was
// found out already. What the user may do is decided by Handler, as for all requests.
func As(ctx context.Context, user string) context.Context {
	return context.WithValue(ctx, visitorKey{}, user)
}

// visitor is nil for a request that shows who it is by itself.
func visitor(ctx context.Context, users *htpasswd.Users) *principal {
	user, ok := ctx.Value(visitorKey{}).(string)
	if !ok || !users.Known(user) {
		return nil
	}
	return &principal{user: user, rights: users.Rights(user)}
}
