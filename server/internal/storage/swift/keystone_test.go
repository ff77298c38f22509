package swift

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// keystone answers the token API of Keystone, versions 2 and 3, in place of a real one. It only signs clients in: the
// tokens that it hands out are those of the real Swift's tempauth, and its catalog points to that Swift, so everything
// that is done with them is real.
type keystone struct {
	*httptest.Server
	accept   map[string]any // what a request's "auth" must be
	lifetime time.Duration
	tokens   atomic.Int32 // handed out
}

func newKeystone(t *testing.T, accept string) *keystone {
	t.Helper()
	a := swiftAccount(t)
	k := &keystone{lifetime: time.Hour}
	if err := json.Unmarshal([]byte(accept), &k.accept); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	k.Server = httptest.NewServer(mux)
	t.Cleanup(k.Close)
	enter := func(w http.ResponseWriter, r *http.Request) (token, storage string, ok bool) {
		var request struct{ Auth map[string]any }
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		if got, want := fmt.Sprint(request.Auth), fmt.Sprint(k.accept); got != want {
			t.Logf("refused %s, accepted is %s", got, want)
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":{"code":401,"message":"The request you have made requires authentication.","title":"Unauthorized"}}`)
			return "", "", false
		}
		conn := connection(t, a)
		k.tokens.Add(1)
		return conn.AuthToken, conn.StorageUrl, true
	}
	answer := func(w http.ResponseWriter, status int, body any) {
		var buf bytes.Buffer
		if err := json.NewEncoder(&buf).Encode(body); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write(buf.Bytes())
	}
	type object = map[string]any
	type list = []any
	mux.HandleFunc("POST /v3/auth/tokens", func(w http.ResponseWriter, r *http.Request) {
		token, storage, ok := enter(w, r)
		if !ok {
			return
		}
		w.Header().Set("X-Subject-Token", token)
		answer(w, http.StatusCreated, object{"token": object{
			"expires_at": time.Now().Add(k.lifetime).UTC().Format(time.RFC3339),
			"catalog": list{
				object{"type": "identity", "endpoints": list{object{"interface": "public", "region": "one", "url": k.URL}}},
				object{"type": "object-store", "endpoints": list{
					object{"interface": "public", "region": "one", "url": "http://127.0.0.1:1/v1/AUTH_one"},
					object{"interface": "admin", "region": "two", "url": "http://127.0.0.1:1/v1/AUTH_admin"},
					object{"interface": "public", "region": "two", "url": storage},
					object{"interface": "internal", "region": "three", "url": storage},
					object{"interface": "public", "region": "three", "url": "http://public.example/v1/AUTH_test"},
				}},
			},
		}})
	})
	mux.HandleFunc("POST /v2.0/tokens", func(w http.ResponseWriter, r *http.Request) {
		token, storage, ok := enter(w, r)
		if !ok {
			return
		}
		answer(w, http.StatusOK, object{"access": object{
			"token": object{"id": token, "expires": time.Now().Add(k.lifetime).UTC().Format(time.RFC3339)},
			"serviceCatalog": list{object{"type": "object-store", "endpoints": list{
				object{"region": "two", "publicURL": storage, "internalURL": "http://127.0.0.1:1/v1/AUTH_in"},
			}}},
		}})
	})
	return k
}

const passwordAuth = `{"identity":{"methods":["password"],"password":{"user":{"name":"registry","password":"keystone password","domain":{"name":"users"}}}},
	"scope":{"project":{"name":"images","domain":{"name":"projects"}}}}`

// keystoneParameters are those that passwordAuth stands for.
func keystoneParameters(k *keystone, container map[string]any, more ...any) map[string]any {
	return with(map[string]any{
		"authurl": k.URL + "/v3", "username": "registry", "password": "keystone password", "domain": "users",
		"tenant": "images", "tenantdomain": "projects", "region": "two", "container": container["container"], "chunksize": mib,
	}, more...)
}

// TestKeystone signs in at a stand-in for Keystone and stores a blob in the real Swift behind it.
func TestKeystone(t *testing.T) {
	for name, test := range map[string]struct {
		accept  string
		more    []any
		without []string
	}{
		"version 3, password": {accept: passwordAuth},
		"version 3, identifiers": {
			accept: `{"identity":{"methods":["password"],"password":{"user":{"name":"registry","password":"keystone password","domain":{"id":"d1"}}}},"scope":{"project":{"id":"p1"}}}`,
			more:   []any{"domainid", "d1", "tenantid", "p1"}, without: []string{"domain", "tenant", "tenantdomain"},
		},
		"version 3, trust": {
			accept: `{"identity":{"methods":["password"],"password":{"user":{"name":"registry","password":"keystone password","domain":{"name":"users"}}}},"scope":{"OS-TRUST:trust":{"id":"t1"}}}`,
			more:   []any{"trustid", "t1"}, without: []string{"tenant", "tenantdomain"},
		},
		"version 3, application credential": {
			accept: `{"identity":{"methods":["application_credential"],"application_credential":{"id":"ac","secret":"keystone secret","user":{}}}}`,
			more:   []any{"applicationcredentialid", "ac", "applicationcredentialsecret", "keystone secret"}, without: []string{"username", "password"},
		},
		"version 3, application credential by name": {
			accept: `{"identity":{"methods":["application_credential"],"application_credential":{"name":"ac","secret":"keystone secret","user":{"name":"registry","domain":{"name":"users"}}}}}`,
			more:   []any{"applicationcredentialname", "ac", "applicationcredentialsecret", "keystone secret"}, without: []string{"password"},
		},
		"version 3, internal endpoint": {accept: passwordAuth, more: []any{"region", "three", "endpointtype", "internal"}},
		"version 2": {
			accept: `{"passwordCredentials":{"username":"registry","password":"keystone password"},"tenantName":"images"}`,
			more:   []any{"authurl", "/v2.0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeystone(t, test.accept)
			parameters := without(keystoneParameters(k, newContainer(t), test.more...), test.without...)
			if path := parameters["authurl"].(string); strings.HasPrefix(path, "/") {
				parameters["authurl"] = k.URL + path
			}
			workload(t, open(t, parameters))
			if n := k.tokens.Load(); n != 1 {
				t.Errorf("signed in %d times", n)
			}
		})
	}
}

func TestKeystoneErrors(t *testing.T) {
	container := newContainer(t)
	for name, test := range map[string]struct {
		more []any
		want string
	}{
		"wrong password":     {[]any{"password", "another keystone password"}, "refused the credentials"},
		"other project":      {[]any{"tenant", "other"}, "refused the credentials"},
		"no such region":     {[]any{"region", "four"}, `its catalog has no public object-store endpoint in region "four"`},
		"no such endpoint":   {[]any{"endpointtype", "internal"}, `its catalog has no internal object-store endpoint in region "two"`},
		"region out of work": {[]any{"region", "one"}, "the object store can't be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKeystone(t, passwordAuth)
			_, err := New(context.Background(), keystoneParameters(k, container, test.more...))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "keystone password") {
				t.Errorf("error %v tells the password", err)
			}
		})
	}
}

// TestCertificate signs in over TLS with a certificate that nobody has signed.
func TestCertificate(t *testing.T) {
	k := newKeystone(t, passwordAuth)
	secure := httptest.NewTLSServer(k.Config.Handler)
	defer secure.Close()
	parameters := keystoneParameters(k, newContainer(t), "authurl", secure.URL+"/v3")
	begun := time.Now()
	_, err := New(context.Background(), parameters)
	if err == nil || !strings.Contains(err.Error(), "can't sign in at "+secure.URL) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	workload(t, open(t, with(parameters, "insecureskipverify", true)))
}

// TestTokenEnds has tokens that are about to expire, which must be replaced before Swift refuses them.
func TestTokenEnds(t *testing.T) {
	k := newKeystone(t, passwordAuth)
	k.lifetime = tokenReserve - time.Second
	d := open(t, keystoneParameters(k, newContainer(t)))
	before := k.tokens.Load()
	if err := d.PutContent(context.Background(), blobPath, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if got := k.tokens.Load() - before; got != 1 {
		t.Errorf("%d new tokens", got)
	}
}

// TestRedirectFromInternalEndpoint expects redirects to the public endpoint: clients can't reach the driver's.
func TestRedirectFromInternalEndpoint(t *testing.T) {
	k := newKeystone(t, passwordAuth)
	d := open(t, keystoneParameters(k, newContainer(t), "region", "three", "endpointtype", "internal", "secretkey", "key", "tempurlcontainerkey", true))
	url, err := d.RedirectURL(httptest.NewRequest(http.MethodGet, "/", nil), blobPath)
	if err != nil || !strings.HasPrefix(url, "http://public.example/v1/AUTH_test/"+d.client.container+"/files/docker/") {
		t.Errorf("redirect to %q: %v", url, err)
	}
}
