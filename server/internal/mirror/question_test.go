package mirror

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
)

// TestQuestionFollows has an upstream redirect a question through other hosts, which do not get its login.
func TestQuestionFollows(t *testing.T) {
	const registry = "https://registry.example.com"
	subject := digest.FromString("x")
	api := registry + "/v2/library/app/referrers/" + subject.String()
	moves := map[string]string{
		api:                                   registry + "/moved",
		registry + "/moved":                   registry + ":8443/",
		registry + ":8443/":                   "https://other.registry.example.com/",
		"https://other.registry.example.com/": "http://registry.example.com/",
		"http://registry.example.com/":        registry + "/answer",
	}
	var got []string
	u := upstreamOf(registry, func(r *http.Request) *http.Response {
		got = append(got, r.URL.String()+" "+r.Header.Get("Authorization"))
		if to, ok := moves[r.URL.String()]; ok {
			return answer(http.StatusTemporaryRedirect, 0, http.Header{"Location": {to}})
		}
		return answer(http.StatusOK, 0, http.Header{"Content-Type": {v1.MediaTypeImageIndex}})
	})
	q := &question{client: httptest.NewRequest(http.MethodGet, "/v2/library/app/referrers/"+subject.String(), http.NoBody), subject: subject}
	tagged, err := http.NewRequestWithContext(context.WithValue(t.Context(), questionKey{}, q), http.MethodHead, registry+"/v2/library/app/manifests/"+layout.ReferrersTag(subject), nil)
	if err != nil {
		t.Fatal(err)
	}
	tagged.Header.Set("Authorization", "Basic x")
	response, err := u.RoundTrip(tagged)
	if err != nil || response.StatusCode != http.StatusNotFound || q.answer == nil {
		t.Fatalf("%v, %v", response, err)
	}
	want := []string{api + " Basic x", registry + "/moved Basic x", registry + ":8443/ ", "https://other.registry.example.com/ ", "http://registry.example.com/ ", registry + "/answer Basic x"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestQuestionSentElsewhere has a question that GitHub's registry redirects to a page of GitHub's, which does
// not know it: the lists are kept under their tags.
func TestQuestionSentElsewhere(t *testing.T) {
	const registry = "https://registry.example.com"
	subject := digest.FromString("x")
	tag := registry + "/v2/library/app/manifests/" + layout.ReferrersTag(subject)
	for name, page := range map[string]*http.Response{
		"which refuses":           answer(http.StatusTooManyRequests, 0, http.Header{}),
		"which wants other words": answer(http.StatusNotAcceptable, 0, http.Header{}),
		"which fails":             answer(http.StatusBadGateway, 0, http.Header{}),
		"which is a page":         answer(http.StatusOK, 0, http.Header{"Content-Type": {"text/html"}}),
		"which is away":           nil,
	} {
		t.Run(name, func(t *testing.T) {
			u := upstreamOf(registry, func(r *http.Request) *http.Response {
				switch {
				case r.URL.Host == "elsewhere.example.com":
					return page
				case r.URL.String() == tag:
					return answer(http.StatusOK, 2, http.Header{"Content-Type": {v1.MediaTypeImageIndex}})
				}
				return answer(http.StatusSeeOther, 0, http.Header{"Location": {"https://elsewhere.example.com/"}})
			})
			q := &question{client: httptest.NewRequest(http.MethodGet, "/v2/library/app/referrers/"+subject.String(), http.NoBody), subject: subject}
			r, err := http.NewRequestWithContext(context.WithValue(t.Context(), questionKey{}, q), http.MethodHead, tag, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := u.RoundTrip(r)
			if err != nil || response.StatusCode != http.StatusOK || q.answer != nil || q.refusal != nil || u.isAway(u.host) {
				t.Errorf("%v, %v, away: %t", response, err, u.isAway(u.host))
			}
		})
	}
}

// TestPatience expects no limit unless the configuration sets one.
func TestPatience(t *testing.T) {
	for configured, least := range map[time.Duration]time.Duration{0: 24 * time.Hour, time.Second: time.Second} {
		if got := *patience(&configured); got < least || configured > 0 && got != configured {
			t.Errorf("%s: %s", configured, got)
		}
	}
	if got := *patience(nil); got < 24*time.Hour {
		t.Errorf("by itself: %s", got)
	}
}
