package gcs

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestCanceled has a Google, or a token server, that never answers.
func TestCanceled(t *testing.T) {
	for name, action := range actions {
		for who, isAsked := range map[string]func(*http.Request) bool{"Google": action.asks, "tokens": isToken} {
			t.Run(name+", "+who, func(t *testing.T) {
				t.Parallel()
				g := &google{}
				d := g.open(t, "")
				if who == "Google" {
					if err := d.PutContent(t.Context(), "/a/1", []byte("content")); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				g.instead = func(_ http.ResponseWriter, r *http.Request) bool {
					if !isAsked(r) {
						return false
					}
					_, _ = io.Copy(io.Discard, r.Body)
					cancel()
					<-r.Context().Done()
					return true
				}
				if err := action.do(ctx, d); err == nil || ctx.Err() == nil || !strings.Contains(err.Error(), "context canceled") {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

func isToken(r *http.Request) bool { return r.URL.Path == "/token" }

// TestUserAgent expects the configured user agent in all requests.
func TestUserAgent(t *testing.T) {
	g := &google{}
	transport := g.start(t)
	raw := parameters(t, "")
	raw["useragent"] = "registry/1"
	d, err := newDriver(t.Context(), raw, transport)
	if err != nil {
		t.Fatal(err)
	}
	if err := uploadLarge(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if _, err := d.GetContent(t.Context(), "/a/3"); err != nil || !slices.Equal(slices.Collect(maps.Keys(g.agents)), []string{"registry/1"}) {
		t.Errorf("%v: %v", g.agents, err)
	}
}

// TestKeyFile has the key in a file instead of a table.
func TestKeyFile(t *testing.T) {
	g := &google{}
	transport := g.start(t)
	raw := parameters(t, "")
	key := map[string]string{}
	for name, value := range raw["credentials"].(map[any]any) {
		key[name.(string)] = value.(string)
	}
	content, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	delete(raw, "credentials")
	raw["keyfile"] = file
	d, err := newDriver(t.Context(), raw, transport)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.PutContent(t.Context(), "/a/1", nil); err != nil {
		t.Error(err)
	}
	raw["keyfile"] = file + ".absent"
	if _, err := newDriver(t.Context(), raw, transport); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestRedirectURL expects a URL that is signed with the key.
func TestRedirectURL(t *testing.T) {
	d := new(google).open(t, "a+b")
	for method, signs := range map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodPut: false} {
		signed, err := d.RedirectURL(httptest.NewRequest(method, "/", nil), "/a/1")
		if err != nil {
			t.Fatal(err)
		}
		if !signs {
			if signed != "" {
				t.Errorf("%s: %s", method, signed)
			}
			continue
		}
		u, err := url.Parse(signed)
		if err != nil {
			t.Fatal(err)
		}
		if u.Host != "storage.googleapis.com" || u.Path != "/images/a+b/a/1" || u.Query().Get("GoogleAccessId") != "a@b" || u.Query().Get("Signature") == "" {
			t.Errorf("%s: %s", method, signed)
		}
	}
}

type always struct{ answer *http.Response }

func (a always) RoundTrip(*http.Request) (*http.Response, error) { return a.answer, nil }

// TestSigner has answers without an upload ID. Only those of the signing service are accepted.
func TestSigner(t *testing.T) {
	for host, believed := range map[string]bool{"iamcredentials.googleapis.com": true, "storage.googleapis.com": false} {
		transport := answers{always{&http.Response{StatusCode: http.StatusOK, Body: http.NoBody}}}
		if _, err := transport.RoundTrip(httptest.NewRequest(http.MethodPost, "https://"+host+"/v1/x:signBlob", nil)); (err == nil) != believed {
			t.Errorf("%s: %v", host, err)
		}
	}
}

type never struct{}

func (never) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestSilentSigner asks a signing service that does not answer, in a context that never ends.
func TestSilentSigner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "https://iamcredentials.googleapis.com/v1/x:signBlob", nil)
		if _, err := (answers{never{}}).RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
