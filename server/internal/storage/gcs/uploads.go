package gcs

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

type keyOfUpload struct{}

// forUpload is the context in which the driver uploads an object.
func forUpload(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOfUpload{}, key)
}

// uploads is for the requests by which the driver uploads what is larger than a chunk: a POST begins
// a session, and each PUT sends a chunk.
type uploads struct{ http.RoundTripper }

func (u uploads) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		// The driver does not escape the name: with some the bytes went elsewhere.
		name, _ := r.Context().Value(keyOfUpload{}).(string)
		r = r.Clone(r.Context())
		r.URL.RawQuery, r.URL.Fragment = url.Values{"uploadType": {"resumable"}, "name": {name}}.Encode(), ""
	}
	answer, err := u.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodPut && hasEnded(r, answer.StatusCode) {
		answer.Body.Close()
		return nil, fmt.Errorf("the session of an upload has ended: %s", answer.Status)
	}
	return answer, err
}

// hasEnded says whether nothing more can be sent in a session. Google asks to begin another one then.
func hasEnded(r *http.Request, status int) bool {
	switch status {
	case http.StatusPermanentRedirect:
		// More is to come, it says.
		return !strings.HasSuffix(r.Header.Get("Content-Range"), "/*")
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return true
	default:
		return false
	}
}
