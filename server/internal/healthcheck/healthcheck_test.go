package healthcheck

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/testpki"
)

func TestDestination(t *testing.T) {
	tests := []struct {
		network, addr, wantNetwork, wantAddress string
	}{
		{"", ":5000", "tcp", "127.0.0.1:5000"},
		{"tcp", "0.0.0.0:5000", "tcp", "127.0.0.1:5000"},
		{"", "[::]:5000", "tcp", "127.0.0.1:5000"},
		{"", "[::1]:5000", "tcp", "[::1]:5000"},
		{"", "10.0.0.7:443", "tcp", "10.0.0.7:443"},
		{"unix", "/run/registry.sock", "unix", "/run/registry.sock"},
	}
	for _, test := range tests {
		network, address := destination(configuration.HTTP{Net: test.network, Addr: test.addr})
		if network != test.wantNetwork || address != test.wantAddress {
			t.Errorf("%s %q: %s %q, want %s %q", test.network, test.addr, network, address, test.wantNetwork, test.wantAddress)
		}
	}
}

func TestOnce(t *testing.T) {
	ca := testpki.NewAuthority(t)
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
	}
	tests := []struct {
		name    string
		handler http.Handler
		change  func(*httptest.Server, *configuration.HTTP)
		want    string
	}{
		{"answers", status(200), nil, ""},
		{"is unwell", status(503), nil, "GET /livez answers 503 Service Unavailable"},
		{"is gone", status(200), func(s *httptest.Server, _ *configuration.HTTP) { s.Close() }, "connection refused"},
		{"speaks no TLS", status(200), func(_ *httptest.Server, c *configuration.HTTP) { c.TLS.Certificate = "tls.pem" }, "HTTP response to HTTPS client"},
		{"has TLS", status(200), func(s *httptest.Server, c *configuration.HTTP) {
			s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Valid(t, "server").TLS(t)}}
			c.TLS.Certificate = "tls.pem"
		}, ""},
		{"demands a certificate", status(200), func(s *httptest.Server, c *configuration.HTTP) {
			s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Valid(t, "server").TLS(t)}, ClientAuth: tls.RequireAnyClientCert}
			c.TLS.Certificate, c.TLS.ClientCAs = "tls.pem", []string{"ca.pem"}
		}, ""},
		{"refuses TLS", status(200), func(s *httptest.Server, c *configuration.HTTP) {
			s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Valid(t, "server").TLS(t)}, ClientAuth: tls.RequireAnyClientCert}
			c.TLS.Certificate = "tls.pem"
		}, "certificate required"},
		{"is on a socket", status(200), func(s *httptest.Server, c *configuration.HTTP) {
			c.Net, c.Addr = "unix", filepath.Join(t.TempDir(), "socket")
			listener, err := net.Listen("unix", c.Addr)
			if err != nil {
				t.Fatal(err)
			}
			s.Listener.Close()
			s.Listener = listener
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(test.handler)
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			config := configuration.HTTP{Addr: s.Listener.Addr().String()}
			if test.change != nil {
				test.change(s, &config)
			}
			switch {
			case test.name == "is gone":
			case s.TLS != nil:
				s.StartTLS()
				defer s.Close()
			default:
				s.Start()
				defer s.Close()
			}
			err := Watch(t.Context(), config, 0)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestWatch(t *testing.T) {
	const (
		never = time.Hour
		soon  = 100 * time.Millisecond
	)
	from := func(n int32) func(int32) bool { return func(ask int32) bool { return ask >= n } }
	until := func(n int32) func(int32) bool { return func(ask int32) bool { return ask < n } }
	tests := []struct {
		name     string
		uptime   time.Duration
		checked  bool
		unwell   func(ask int32) bool
		length   time.Duration
		wantAsks int32
		wantErr  bool
	}{
		{"a young server is reported at once", time.Second, false, from(100), never, 1, false},
		{"and waited for", time.Second, false, until(4), never, 4, false},
		{"but not longer than given", time.Second, false, from(1), soon, 51, true},
		{"one that was checked is watched to the end, as an old one", time.Second, true, from(100), soon, 5, false},
		{"and reported if it did not answer before", time.Second, true, until(2), never, 2, false},
		{"an old one is watched to the end", time.Hour, false, from(100), soon, 5, false},
		{"one that fails is watched to the end too", time.Hour, false, from(1), soon, 5, true},
		{"and when it has failed on the way", time.Hour, false, from(2), soon, 5, true},
		{"it is reported as soon as it answers again", time.Hour, false, until(3), never, 3, false},
		{"one request is all of a watch without a length", time.Hour, false, from(1), 0, 1, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int32
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if test.checked {
					w.Header().Set("Registry-Checked", "yes")
				}
				if test.unwell(asked.Add(1)) {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}))
			defer s.Close()
			w := watch{
				probe:      newProbe(configuration.HTTP{Addr: s.Listener.Addr().String()}),
				pause:      20 * time.Millisecond,
				shortPause: 2 * time.Millisecond,
				uptime:     func() (time.Duration, error) { return test.uptime, nil },
			}
			began := time.Now()
			err := w.run(t.Context(), test.length)
			if (err != nil) != test.wantErr {
				t.Errorf("got %v", err)
			}
			// If a check ends early, Docker asks again at once.
			if test.wantErr && time.Since(began) < test.length/2 {
				t.Error("failed before its time was over")
			}
			// A slow machine may make fewer requests, but never more.
			if n := asked.Load(); n > test.wantAsks || n < 1 || (test.length == never && n != test.wantAsks) {
				t.Errorf("asked %d times, want %d", n, test.wantAsks)
			}
		})
	}
	t.Run("ends with its context", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		w := watch{newProbe(configuration.HTTP{Addr: s.Listener.Addr().String()}), never, never, func() (time.Duration, error) {
			cancel()
			return time.Hour, nil
		}}
		if err := w.run(ctx, 2*never); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestChecked(t *testing.T) {
	const check = "registry-healthcheck"
	var checked Checked
	for _, test := range []struct {
		name, userAgent, from, want string
	}{
		{"another client", "curl/8", "127.0.0.1:40000", ""},
		{"from outside", check, "172.17.0.1:40000", ""},
		{"the first", check, "127.0.0.1:40000", ""},
		{"the second", check, "[::1]:40000", "yes"},
		{"on a socket", check, "@", "yes"},
		{"from outside again", check, "172.17.0.1:40000", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, Path, nil)
		r.RemoteAddr = test.from
		r.Header.Set("User-Agent", test.userAgent)
		w := httptest.NewRecorder()
		checked.Tell(w, r)
		if got := w.Header().Get("Registry-Checked"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestProcessAge(t *testing.T) {
	const fields = " S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 7 0 "
	tests := []struct {
		name, uptime, stat string
		want               time.Duration
		wantErr            bool
	}{
		{"plain", "100.50 190.00\n", "1 (registry)" + fields + "9000 1000\n", 10500 * time.Millisecond, false},
		{"brackets in the name", "100.50 190.00\n", "1 (a) b (c))" + fields + "10050 1000\n", 0, false},
		{"short", "100.50\n", "1 (registry) S 0\n", 0, true},
		{"empty", "", "", 0, true},
		{"not a number", "x\n", "1 (registry)" + fields + "9000\n", 0, true},
	}
	for _, test := range tests {
		got, err := processAge([]byte(test.uptime), []byte(test.stat))
		if got != test.want || (err != nil) != test.wantErr {
			t.Errorf("%s: %v, %v", test.name, got, err)
		}
	}
	if age, err := serverUptime(); err != nil || age <= 0 {
		t.Errorf("this machine: %v, %v", age, err)
	}
}
