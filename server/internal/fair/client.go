package fair

import (
	"context"
	"net/http"
	"net/netip"

	"container-registry/server/internal/clientaddress"
)

// Client is a user, or the network of who has no name.
type Client struct {
	user    string
	network netip.Prefix
}

type clientKey struct{}

// Handler goes around all who share. A request is its network's until By names its user.
func Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := &Client{network: clientaddress.Network(r.RemoteAddr)}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientKey{}, who)))
	})
}

// By tells whose request it is, before it asks for anything. Without a name it is its network's.
func By(ctx context.Context, user string) {
	if c, ok := ctx.Value(clientKey{}).(*Client); ok && user != "" {
		*c = Client{user: user}
	}
}

// ClientOf is one of nobody where the server acts by itself.
func ClientOf(ctx context.Context) Client {
	if c, ok := ctx.Value(clientKey{}).(*Client); ok {
		return *c
	}
	return Client{}
}
