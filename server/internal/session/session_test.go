package session

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/htpasswd"
)

func users(t *testing.T, passwords ...string) *htpasswd.Users {
	t.Helper()
	var file strings.Builder
	for _, each := range passwords {
		name, password, _ := strings.Cut(each, ":")
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&file, "%s:%s\n", name, hash)
	}
	u, err := htpasswd.Parse([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// cookieOf is the one that an answer gives.
func cookieOf(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	return cookies[0]
}

func TestSession(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	all := users(t, "alice:wonder", "bob:builder")
	keeper := New("secret", "/ui/", true)
	begun := httptest.NewRecorder()
	keeper.Begin(begun, all, "alice", began)
	cookie := cookieOf(t, begun)
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/ui/" || !strings.HasPrefix(cookie.Name, "__Secure-") {
		t.Errorf("%+v", cookie)
	}
	forged := strings.Replace(cookie.Value, cookie.Value[:8], "eyJ1c2Vy", 1)
	tests := []struct {
		name   string
		keeper *Keeper
		value  string
		users  *htpasswd.Users
		after  time.Duration
		want   string
	}{
		{"at once", keeper, cookie.Value, all, 0, "alice"},
		{"by another server of the registry", New("secret", "/ui/", true), cookie.Value, all, 0, "alice"},
		{"by another registry", New("other", "/ui/", true), cookie.Value, all, 0, ""},
		{"after a while", keeper, cookie.Value, all, idle - time.Second, "alice"},
		{"unused for too long", keeper, cookie.Value, all, idle, ""},
		{"with another password", keeper, cookie.Value, users(t, "alice:other"), 0, ""},
		{"of a user who is gone", keeper, cookie.Value, users(t, "bob:builder"), 0, ""},
		{"changed", keeper, forged + "x", all, 0, ""},
		{"nothing", keeper, "", all, 0, ""},
		{"no payload", keeper, ".", all, 0, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
			r.AddCookie(&http.Cookie{Name: test.keeper.name, Value: test.value})
			if got := test.keeper.User(httptest.NewRecorder(), r, test.users, began.Add(test.after)); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestRenewal(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	all := users(t, "alice:wonder")
	keeper := New("", "/ui/", false)
	w := httptest.NewRecorder()
	keeper.Begin(w, all, "alice", began)
	cookie := cookieOf(t, w)
	now := began
	for range 100 {
		now = now.Add(20 * time.Minute)
		r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
		r.AddCookie(cookie)
		w = httptest.NewRecorder()
		if keeper.User(w, r, all, now) == "" {
			break
		}
		cookie = cookieOf(t, w)
	}
	if lasted := now.Sub(began); lasted != longest {
		t.Errorf("a session in use lasted %s, want %s", lasted, longest)
	}
	w = httptest.NewRecorder()
	keeper.End(w, httptest.NewRequest(http.MethodPost, "/ui/logout", nil), all, now)
	if ended := cookieOf(t, w); ended.Value != "" || ended.MaxAge >= 0 {
		t.Errorf("%+v", ended)
	}
}

// TestEnd has somebody who copied a cookie before its user logged out.
func TestEnd(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	all := users(t, "alice:wonder", "bob:builder")
	keeper := New("secret", "/ui/", true)
	begin := func(user string) *http.Cookie {
		w := httptest.NewRecorder()
		keeper.Begin(w, all, user, began)
		return cookieOf(t, w)
	}
	with := func(cookie *http.Cookie) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
		r.AddCookie(cookie)
		return r
	}
	copied, elsewhere, others := begin("alice"), begin("alice"), begin("bob")
	now := began.Add(renewal)
	w := httptest.NewRecorder()
	keeper.User(w, with(copied), all, now)
	renewed := cookieOf(t, w)
	keeper.End(httptest.NewRecorder(), with(renewed), all, now)
	for _, test := range []struct {
		name   string
		cookie *http.Cookie
		want   string
	}{
		{"what the browser had", renewed, ""},
		{"what it had before", copied, ""},
		{"the user's other browser", elsewhere, "alice"},
		{"another user's", others, "bob"},
	} {
		if got := keeper.User(httptest.NewRecorder(), with(test.cookie), all, now); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	// Who has no session can't fill the list, and who has some has only so much of it.
	forged := *others
	forged.Value = "e30." + strings.Repeat("A", 43)
	keeper.End(httptest.NewRecorder(), with(&forged), all, now)
	if n := keeper.ended.Len(); n != 1 {
		t.Errorf("%d are remembered", n)
	}
	for range mostEnded + 10 {
		keeper.End(httptest.NewRecorder(), with(begin("bob")), all, now)
	}
	if n := keeper.ended.Len(); n != mostEnded {
		t.Errorf("%d are remembered", n)
	}
}
