package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"container-registry/server/internal/config"
	"container-registry/server/internal/registrytest"
)

// TestBehindProxy has clients with addresses of their own behind one reverse proxy.
func TestBehindProxy(t *testing.T) {
	proxies := []config.Network{{Prefix: netip.MustParsePrefix("10.0.0.1/32")}}
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0'}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+", limit: {failures: 1, window: 1h}}}\n"), own{TrustedProxies: proxies}, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.listener.Close()
	const proxy, other, wrong, right = "10.0.0.1:1", "192.0.2.3:1", "wrong", "wonder"
	for i, step := range []struct {
		peer, told, password string
		want                 int
	}{
		{proxy, "192.0.2.1", wrong, http.StatusUnauthorized},
		// It is locked out, also when it invents others before it; its neighbour is not.
		{proxy, "192.0.2.1", right, http.StatusTooManyRequests},
		{proxy, "192.0.2.9, 192.0.2.1", right, http.StatusTooManyRequests},
		{proxy, "192.0.2.2", right, http.StatusOK},
		// Who is no proxy and poses as others locks out itself, and not those.
		{other, "192.0.2.4", wrong, http.StatusUnauthorized},
		{other, "192.0.2.5", wrong, http.StatusTooManyRequests},
		{proxy, "192.0.2.4", wrong, http.StatusUnauthorized},
	} {
		request := httptest.NewRequest(http.MethodGet, "/v2/", nil)
		request.RemoteAddr = step.peer
		request.Header.Set("X-Forwarded-For", step.told)
		request.SetBasicAuth("alice", step.password)
		recorder := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(recorder, request)
		if recorder.Code != step.want {
			t.Errorf("step %d, %+v: %d", i, step, recorder.Code)
		}
	}
}
