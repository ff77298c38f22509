package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestThrottled has a store that asks clients to wait for longer than there is time.
func TestThrottled(t *testing.T) {
	for name, test := range map[string]struct {
		throttles func(request int32) bool
		after     string
		time      time.Duration
		want      string
	}{
		"now and then":         {func(n int32) bool { return n == 1 }, "3600", time.Hour / 2, ""},
		"always":               {func(int32) bool { return true }, "3600", time.Hour / 2, "SlowDown"},
		"until time is up":     {func(int32) bool { return true }, "1", 2 * time.Second, "SlowDown"},
		"and says nothing":     {func(n int32) bool { return n == 1 }, "", time.Hour / 2, ""},
		"and says what is odd": {func(n int32) bool { return n == 1 }, "soon", time.Hour / 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			driver := open(t, func(w http.ResponseWriter, r *http.Request) {
				if test.throttles(requests.Add(1)) {
					w.Header().Set("Retry-After", test.after)
					w.WriteHeader(http.StatusServiceUnavailable)
					fmt.Fprint(w, header+`<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
					return
				}
				genuine(w, r)
			})
			ctx, cancel := context.WithTimeout(t.Context(), test.time)
			defer cancel()
			_, err := driver.GetContent(ctx, "/a/1")
			if got := fmt.Sprint(err); test.want == "" && err != nil || !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %q", got, test.want)
			}
		})
	}
}

// TestRedirected has a store that redirects to another host, for which the signature is not valid.
func TestRedirected(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, header+`<Error><Code>SignatureDoesNotMatch</Code></Error>`)
	}))
	t.Cleanup(other.Close)
	driver := open(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
	_, err := driver.GetContent(t.Context(), "/a/1")
	want := "TemporaryRedirect: the store leads to " + strings.TrimPrefix(other.URL, "http://")
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFailedCopy expects nothing to be left of a copy whose parts a store refuses or does not put together, or
// whose client goes away.
func TestFailedCopy(t *testing.T) {
	part, end := is(http.MethodPut, "partNumber"), is(http.MethodPost, "uploadId")
	for name, test := range map[string]struct {
		fails func(*http.Request) bool
		stops bool
	}{
		"refused":                       {part, false},
		"without its client":            {part, true},
		"refused at the end":            {end, false},
		"without its client at the end": {end, true},
	} {
		stops := test.stops
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			aborted := make(chan string, 1)
			driver := open(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case is(http.MethodDelete, "uploadId")(r):
					w.WriteHeader(http.StatusNoContent)
					aborted <- r.URL.Path + " " + r.URL.Query().Get("uploadId")
				case !test.fails(r):
					genuine(w, r)
				case stops:
					// The server notices that the client is gone only once it has read the body.
					_, _ = io.Copy(io.Discard, r.Body)
					cancel()
					<-r.Context().Done()
				default:
					w.WriteHeader(http.StatusForbidden)
					fmt.Fprint(w, header+`<Error><Code>AccessDenied</Code></Error>`)
				}
			})
			err := driver.Move(ctx, "/a/1", "/a/2")
			if err == nil || !stops && !strings.Contains(err.Error(), "AccessDenied") {
				t.Error(err)
			}
			if len(aborted) != 1 {
				t.Fatal("it was not given up")
			}
			if got := <-aborted; got != "/images/a/2 7" {
				t.Errorf("it gave up %s", got)
			}
		})
	}
}
