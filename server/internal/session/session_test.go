package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
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
	keeper := New("secret", "/ui/", true, inmemory.New())
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
		{"by another server of the registry", New("secret", "/ui/", true, inmemory.New()), cookie.Value, all, 0, "alice"},
		{"by another registry", New("other", "/ui/", true, inmemory.New()), cookie.Value, all, 0, ""},
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
	keeper := New("", "/ui/", false, inmemory.New())
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
	if err := keeper.End(w, httptest.NewRequest(http.MethodPost, "/ui/logout", nil), all, now); err != nil {
		t.Error(err)
	}
	if ended := cookieOf(t, w); ended.Value != "" || ended.MaxAge >= 0 {
		t.Errorf("%+v", ended)
	}
}

// TestEnd has somebody who copied a cookie before its user logged out.
func TestEnd(t *testing.T) {
	began := time.Unix(1_700_000_000, 0)
	now := began.Add(renewal)
	all := users(t, "alice:wonder", "bob:builder")
	store := registrytest.NewSpy(inmemory.New())
	keeper := New("secret", "/ui/", true, store)
	begin := func(user string, at time.Time) *http.Cookie {
		w := httptest.NewRecorder()
		keeper.Begin(w, all, user, at)
		return cookieOf(t, w)
	}
	with := func(cookie *http.Cookie) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
		r.AddCookie(cookie)
		return r
	}
	end := func(cookie *http.Cookie, at time.Time) error {
		return keeper.End(httptest.NewRecorder(), with(cookie), all, at)
	}
	kept := func(at time.Time) int {
		names, err := layout.Names(t.Context(), store, in(periodOf(at), ""))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	copied, elsewhere, others := begin("alice", began), begin("alice", began), begin("bob", began)
	w := httptest.NewRecorder()
	keeper.User(w, with(copied), all, now)
	renewed := cookieOf(t, w)
	if err := end(renewed, now); err != nil {
		t.Fatal(err)
	}
	for server, keeper := range map[string]*Keeper{"the server that was told": keeper, "another one, or the next": New("secret", "/ui/", true, store)} {
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
				t.Errorf("%s: %s: %q, want %q", server, test.name, got, test.want)
			}
		}
	}
	// Who has no session can't fill the store.
	forged := *others
	forged.Value = "e30." + strings.Repeat("A", 43)
	if err := end(&forged, now); err != nil || kept(now) != 1 {
		t.Errorf("%d are remembered: %v", kept(now), err)
	}
	// What can't be used any more needs nobody to remember it, and until then it is.
	for _, later := range []time.Duration{idle - renewal - time.Second, 3 * idle} {
		at := now.Add(later)
		if err := end(begin("bob", at), at); err != nil {
			t.Fatal(err)
		}
		if got := New("secret", "/ui/", true, store).User(httptest.NewRecorder(), with(renewed), all, at); got != "" {
			t.Errorf("%s later: %q", later, got)
		}
	}
	periods, err := layout.Names(t.Context(), store, folder)
	if err != nil || len(periods) != 3 || kept(now.Add(3*idle)) != 1 {
		t.Errorf("%v are remembered: %v", periods, err)
	}
}

// TestEndMany of one user, whose store has only so much of: a session that ended before stays so, and
// others of the same user end as well.
func TestEndMany(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	all := users(t, "alice:wonder", "bob:builder")
	store := inmemory.New()
	keeper, other := New("secret", "/ui/", true, store), New("secret", "/ui/", true, store)
	begin := func(user string, at time.Time) *http.Request {
		w := httptest.NewRecorder()
		keeper.Begin(w, all, user, at)
		r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
		r.AddCookie(cookieOf(t, w))
		return r
	}
	copied, elsewhere, others := begin("bob", now), begin("bob", now), begin("alice", now)
	for i := range mostOfUser - 2 {
		if err := store.PutContent(t.Context(), in(periodOf(now), fmt.Sprint(ofUser("bob"), "-", i)), []byte("ended")); err != nil {
			t.Fatal(err)
		}
	}
	for _, each := range []*http.Request{copied, begin("bob", now), begin("bob", now), begin("bob", now)} {
		if err := keeper.End(httptest.NewRecorder(), each, all, now); err != nil {
			t.Fatal(err)
		}
	}
	later := now.Add(time.Second)
	for _, test := range []struct {
		name, want string
		request    *http.Request
	}{
		{"the first that ended", "", copied},
		{"one that did not", "", elsewhere},
		{"another user's", "alice", others},
		{"a new one", "bob", begin("bob", later)},
	} {
		if got := other.User(httptest.NewRecorder(), test.request, all, later); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	names, err := layout.Names(t.Context(), store, in(periodOf(now), ""))
	if err != nil || len(names) != mostOfUser+1 {
		t.Errorf("%d are remembered: %v", len(names), err)
	}
}

// TestEndWhereNothingIsWritten is remembered by the server that was told.
func TestEndWhereNothingIsWritten(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	all := users(t, "alice:wonder")
	store := registrytest.NewSpy(inmemory.New())
	store.Before = func(string, string) error { return errors.New("read-only") }
	keeper := New("secret", "/ui/", true, store)
	w := httptest.NewRecorder()
	keeper.Begin(w, all, "alice", now)
	r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
	r.AddCookie(cookieOf(t, w))
	if err := keeper.End(httptest.NewRecorder(), r, all, now); err == nil {
		t.Error("nobody was told that others do not know")
	}
	if got := keeper.User(httptest.NewRecorder(), r, all, now); got != "" {
		t.Errorf("%s is logged in", got)
	}
	for range mostEnded + 10 {
		keeper.ended.here.Add(rand.Text(), struct{}{})
	}
	if n := keeper.ended.here.Len(); n != mostEnded {
		t.Errorf("%d are remembered", n)
	}
}

// TestEndWhileTheStoreIsAway tells the store when it is back.
func TestEndWhileTheStoreIsAway(t *testing.T) {
	now, all, store := time.Now(), users(t, "alice:wonder", "bob:builder"), inmemory.New()
	var away atomic.Bool
	away.Store(true)
	flaky := registrytest.NewSpy(store)
	flaky.Before = func(string, string) error {
		if away.Load() {
			return errors.New("no route to 10.0.0.1")
		}
		return nil
	}
	keeper, other := New("secret", "/ui/", true, flaky), New("secret", "/ui/", true, store)
	keeper.ended.retry = time.Millisecond
	var requests []*http.Request
	for _, user := range []string{"alice", "bob"} {
		begun := httptest.NewRecorder()
		keeper.Begin(begun, all, user, now)
		r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
		r.AddCookie(cookieOf(t, begun))
		if err := keeper.End(httptest.NewRecorder(), r, all, now); err == nil {
			t.Error("a store that is away was told")
		}
		requests = append(requests, r)
	}
	good := func() int {
		return len(slices.DeleteFunc(slices.Clone(requests), func(r *http.Request) bool {
			return other.User(httptest.NewRecorder(), r, all, now) == ""
		}))
	}
	if n := good(); n != 2 {
		t.Errorf("%d sessions are in force elsewhere", n)
	}
	away.Store(false)
	poll.Until(t, "the end of both elsewhere", func() bool { return good() == 0 })
}

// unasked fails where it is asked whether something is there.
type unasked struct {
	storagedriver.StorageDriver
	t *testing.T
}

func (u unasked) Stat(_ context.Context, path string) (storagedriver.FileInfo, error) {
	u.t.Errorf("%s was looked for", path)
	return nil, storagedriver.PathNotFoundError{Path: path}
}

// TestWhileNothingAnswers does not ask the store who is there: a page would wait for it.
func TestWhileNothingAnswers(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	all := users(t, "alice:wonder")
	keeper := New("secret", "/ui/", true, unasked{inmemory.New(), t}).While(func(context.Context) bool { return false })
	w := httptest.NewRecorder()
	keeper.Begin(w, all, "alice", now)
	r := httptest.NewRequest(http.MethodGet, "/ui/", nil)
	r.AddCookie(cookieOf(t, w))
	if got := keeper.User(httptest.NewRecorder(), r, all, now); got != "alice" {
		t.Errorf("%q is logged in", got)
	}
	// Another check may be what fails.
	if err := keeper.End(httptest.NewRecorder(), r, all, now); err != nil {
		t.Error(err)
	}
	if got := keeper.User(httptest.NewRecorder(), r, all, now); got != "" {
		t.Errorf("%s is logged in", got)
	}
}
