package clientaddress

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"container-registry/server/internal/config"
)

func networks(t testing.TB, texts ...string) []config.Network {
	t.Helper()
	found := make([]config.Network, len(texts))
	for i, text := range texts {
		if err := found[i].UnmarshalText([]byte(text)); err != nil {
			t.Fatal(text, err)
		}
	}
	return found
}

func TestClient(t *testing.T) {
	const proxy, forger = "10.0.0.1:4711", "192.0.2.66:4711"
	trusted := networks(t, "10.0.0.0/8", "2001:db8:1::/64", "fe80::/10", "127.0.0.1")
	long := strings.Repeat("203.0.113.1,", 32<<10/12)
	for name, test := range map[string]struct {
		peer    string
		headers http.Header
		want    string
	}{
		"no header":                        {proxy, http.Header{}, proxy},
		"one client":                       {proxy, http.Header{forwardedFor: {"192.0.2.1"}}, "192.0.2.1:0"},
		"with a port":                      {proxy, http.Header{forwardedFor: {"192.0.2.1:1234"}}, "192.0.2.1:0"},
		"IPv6":                             {proxy, http.Header{forwardedFor: {"2001:db8::1"}}, "[2001:db8::1]:0"},
		"IPv6 in brackets":                 {proxy, http.Header{forwardedFor: {"[2001:db8::1]"}}, "[2001:db8::1]:0"},
		"IPv6 with a port":                 {proxy, http.Header{forwardedFor: {"[2001:db8::1]:443"}}, "[2001:db8::1]:0"},
		"IPv6 with a zone":                 {proxy, http.Header{forwardedFor: {"2001:db8::1%eth0"}}, "[2001:db8::1]:0"},
		"IPv4 in IPv6":                     {proxy, http.Header{forwardedFor: {"::ffff:192.0.2.1"}}, "192.0.2.1:0"},
		"what the client wrote before":     {proxy, http.Header{forwardedFor: {"198.51.100.1, 192.0.2.1"}}, "192.0.2.1:0"},
		"the same in lines of its own":     {proxy, http.Header{forwardedFor: {"198.51.100.1", "192.0.2.1"}}, "192.0.2.1:0"},
		"two proxies":                      {proxy, http.Header{forwardedFor: {"198.51.100.1, 192.0.2.1, 10.0.0.2"}}, "192.0.2.1:0"},
		"two proxies, two lines":           {proxy, http.Header{forwardedFor: {"198.51.100.1, 192.0.2.1", "10.0.0.2"}}, "192.0.2.1:0"},
		"a proxy as client":                {proxy, http.Header{forwardedFor: {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3:0"},
		"a proxy that says nothing":        {proxy, http.Header{forwardedFor: {""}}, proxy},
		"a proxy that says garbage":        {proxy, http.Header{forwardedFor: {"192.0.2.1, unknown"}}, proxy},
		"garbage told by the next proxy":   {proxy, http.Header{forwardedFor: {"192.0.2.1, \"\x00<script>, 10.0.0.2"}}, "10.0.0.2:0"},
		"garbage of the client":            {proxy, http.Header{forwardedFor: {"[[::, %, 192.0.2.1"}}, "192.0.2.1:0"},
		"half a bracket":                   {proxy, http.Header{forwardedFor: {"[2001:db8::1"}}, proxy},
		"commas":                           {proxy, http.Header{forwardedFor: {",,,"}}, proxy},
		"32 KiB":                           {proxy, http.Header{forwardedFor: {long + "192.0.2.1"}}, "192.0.2.1:0"},
		"32 KiB of proxies":                {proxy, http.Header{forwardedFor: {strings.ReplaceAll(long, "203.0.113.1", "10.00.0.1")}}, proxy},
		"a proxy over IPv6":                {"[2001:db8:1::7]:1", http.Header{forwardedFor: {"192.0.2.1"}}, "192.0.2.1:0"},
		"a proxy with a zone":              {"[fe80::1%eth0]:1", http.Header{forwardedFor: {"192.0.2.1"}}, "192.0.2.1:0"},
		"a proxy over IPv4 in IPv6":        {"[::ffff:10.0.0.1]:1", http.Header{forwardedFor: {"192.0.2.1"}}, "192.0.2.1:0"},
		"who is no proxy":                  {forger, http.Header{forwardedFor: {"192.0.2.1"}, forwarded: {"for=192.0.2.1"}, realIP: {"192.0.2.1"}}, forger},
		"who is no proxy, over IPv6":       {"[2001:db8:2::7]:1", http.Header{forwardedFor: {"192.0.2.1"}}, "[2001:db8:2::7]:1"},
		"a header that is nobody's":        {proxy, http.Header{realIP: {"192.0.2.1"}}, proxy},
		"a socket":                         {"@", http.Header{forwardedFor: {"192.0.2.1"}}, "@"},
		"Forwarded":                        {proxy, http.Header{forwarded: {"for=192.0.2.1"}}, "192.0.2.1:0"},
		"Forwarded with all there is":      {proxy, http.Header{forwarded: {`proto=https; For="[2001:db8::1]:443" ;by=_me; host="a,b;for=6.6.6.6"`}}, "[2001:db8::1]:0"},
		"Forwarded by two proxies":         {proxy, http.Header{forwarded: {"for=198.51.100.1, for=192.0.2.1", "for=10.0.0.2"}}, "192.0.2.1:0"},
		"Forwarded, hidden":                {proxy, http.Header{forwarded: {"for=192.0.2.1, for=_hidden"}}, proxy},
		"Forwarded without an address":     {proxy, http.Header{forwarded: {"for=192.0.2.1, proto=https"}}, proxy},
		"Forwarded with an open quote":     {proxy, http.Header{forwarded: {`for="198.51.100.1, for=192.0.2.1`}}, proxy},
		"Forwarded with a client's quote":  {proxy, http.Header{forwarded: {`for="x`, `for="[2001:db8::1]"`}}, proxy},
		"Forwarded with an escaped quote":  {proxy, http.Header{forwarded: {`host="\",for=198.51.100.1,x="`, "for=192.0.2.1"}}, proxy},
		"Forwarded that is no list":        {proxy, http.Header{forwarded: {"192.0.2.1"}}, proxy},
		"Forwarded, empty":                 {proxy, http.Header{forwarded: {""}}, proxy},
		"both, and they agree":             {proxy, http.Header{forwardedFor: {"192.0.2.1"}, forwarded: {"for=192.0.2.1;proto=https"}}, "192.0.2.1:0"},
		"both, and one is the client's":    {proxy, http.Header{forwardedFor: {"192.0.2.1"}, forwarded: {"for=198.51.100.1"}}, proxy},
		"both, and the other is":           {proxy, http.Header{forwardedFor: {"198.51.100.1"}, forwarded: {"for=192.0.2.1"}}, proxy},
		"both, and one is the garbage":     {proxy, http.Header{forwardedFor: {"192.0.2.1"}, forwarded: {`"`}}, proxy},
		"one of several that is a network": {"127.0.0.1:1", http.Header{forwardedFor: {"127.0.0.2"}}, "127.0.0.2:0"},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			handler := Handler(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
			sent := httptest.NewRequest(http.MethodGet, "/v2/", nil)
			sent.RemoteAddr, sent.Header = test.peer, test.headers
			handler.ServeHTTP(httptest.NewRecorder(), sent)
			if got.RemoteAddr != test.want {
				t.Errorf("the client is %s, want %s", got.RemoteAddr, test.want)
			}
			if rest := fmt.Sprint(got.Header[forwardedFor], got.Header[realIP]); rest != "[] []" {
				t.Errorf("the engine is told %s", rest)
			}
		})
	}
}

// TestServer is what the engine is told of the server's own address, by whom.
func TestServer(t *testing.T) {
	trusted := networks(t, "10.0.0.0/8")
	for peer, believed := range map[string]bool{"10.0.0.1:4711": true, "192.0.2.66:4711": false, "@": false} {
		for _, name := range []string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto"} {
			var got *http.Request
			sent := httptest.NewRequest(http.MethodGet, "/v2/", nil)
			sent.RemoteAddr = peer
			sent.Header.Set(name, "host=registry.example.com")
			Handler(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })).ServeHTTP(httptest.NewRecorder(), sent)
			if told := got.Header.Get(name) != ""; told != believed {
				t.Errorf("%s of %s: %t", name, peer, told)
			}
		}
	}
}

// TestFirst is what several proxies say of the server's own address.
func TestFirst(t *testing.T) {
	trusted := networks(t, "10.0.0.0/8")
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto"} {
		for _, test := range []struct {
			given []string
			want  string
		}{
			{[]string{"first"}, "first"},
			{[]string{"first, second"}, "first"},
			{[]string{" first ,second"}, "first"},
			{[]string{"first", "second"}, "first"},
			{[]string{", second"}, ""},
			{[]string{}, ""},
		} {
			var got *http.Request
			sent := httptest.NewRequest(http.MethodGet, "/v2/", nil)
			sent.RemoteAddr = "10.0.0.1:4711"
			sent.Header[name] = test.given
			Handler(trusted, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })).ServeHTTP(httptest.NewRecorder(), sent)
			if told := got.Header.Get(name); told != test.want || len(got.Header[name]) > 1 {
				t.Errorf("%s %q: %q", name, test.given, got.Header[name])
			}
		}
	}
}

func FuzzForwarded(f *testing.F) {
	trusted := networks(f, "10.0.0.0/8")
	for _, seed := range []string{"", `"`, `for="`, "for=1.2.3.4,", `a="b";for=10.0.0.1 , `, `host="\"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, clients string) {
		// Whatever the client has written, it is the one that the proxy saw, or counts as the proxy.
		proxy := networks(t, "10.0.0.1")[0].Addr()
		for _, values := range [][]string{{clients, "for=192.0.2.1"}, {clients + ", for=192.0.2.1"}} {
			if got := behind(trusted, proxy, http.Header{forwarded: values}).String(); got != "192.0.2.1" && got != "10.0.0.1" {
				t.Errorf("%q: %s", values, got)
			}
		}
	})
}
