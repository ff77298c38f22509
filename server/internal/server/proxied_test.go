package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"container-registry/server/internal/proxied"
)

// TestProxied has clients with addresses of their own behind one forwarder.
func TestProxied(t *testing.T) {
	config, client := withTLS(t, inMemory+"http: {secret: ours}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+", limit: {failures: 1, window: 1h}}}\n")
	i := start(t, config, client, func(s *Server) {
		if err := s.ListenProxied("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	})
	address := i.server.proxied.Addr().String()
	ask := func(secret, from, password string) int {
		t.Helper()
		transport := client.Transport.(*http.Transport).Clone()
		defer transport.CloseIdleConnections()
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			at := netip.MustParseAddrPort("10.0.0.1:5000")
			_, err = connection.Write(proxied.KeyOf(secret).Header(netip.AddrPortFrom(netip.MustParseAddr(from), 1), at, proxied.EndsOf(connection)))
			return connection, err
		}
		request, err := http.NewRequest(http.MethodGet, "https://"+address+"/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("alice", password)
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for _, step := range []struct {
		name, secret, from, password string
		want                         int
	}{
		{"a wrong password", "ours", "192.0.2.1", "wrong", http.StatusUnauthorized},
		{"it is locked out", "ours", "192.0.2.1", "wonder", http.StatusTooManyRequests},
		{"its neighbour is not", "ours", "192.0.2.2", "wonder", http.StatusOK},
		{"one that poses as the neighbour is itself", "guessed", "192.0.2.3", "wrong", http.StatusUnauthorized},
		{"and locks out itself", "guessed", "192.0.2.4", "wrong", http.StatusTooManyRequests},
		{"but not the one it posed as", "ours", "192.0.2.3", "wrong", http.StatusUnauthorized},
	} {
		if got := ask(step.secret, step.from, step.password); got != step.want {
			t.Errorf("%s: %d", step.name, got)
		}
	}
}
