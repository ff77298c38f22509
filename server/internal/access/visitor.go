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

// Finishing is the context of what the server does itself, to finish what a user's request has begun.
// A token that covers the one need not cover the other; what the user may do is asked all the same.
func Finishing(ctx context.Context) context.Context {
	d := decisionOf(ctx)
	if d == nil || d.principal == nil {
		return ctx
	}
	own := *d.principal
	own.token = nil
	return context.WithValue(ctx, contextKey{}, &decision{principal: &own})
}
