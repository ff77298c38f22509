package gcs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// signers sign URLs for a machine without a key. They number no answers.
	signers = "iamcredentials."
	// signTimeout is for a signature: the client asks for it in nobody's context.
	signTimeout = 10 * time.Second
)

// answers refuses what is no answer of Google's. The client takes any 404 for a missing object, whatever
// its body, and any 2xx for what it asked for.
type answers struct{ http.RoundTripper }

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Host, signers) {
		return a.sign(r)
	}
	answer, err := a.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	switch {
	// Google numbers its answers. What has no number is a page of something before it.
	case answer.Header.Get("X-Guploader-Uploadid") == "" && !isAnybodys(answer.StatusCode):
		err = fmt.Errorf("no answer of Google Cloud Storage: %s of type %q", answer.Status, answer.Header.Get("Content-Type"))
	case answer.StatusCode == http.StatusNotFound:
		err = missingBucket(answer)
	}
	if err != nil {
		answer.Body.Close()
		return nil, err
	}
	return answer, nil
}

// sign has the whole answer in time, or none.
func (a answers) sign(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), signTimeout)
	defer cancel()
	answer, err := a.RoundTripper.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, longestError))
	answer.Body = io.NopCloser(bytes.NewReader(said))
	return answer, err
}

// isAnybodys says whether a status means the same also where it is not Google that gives it.
func isAnybodys(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	default:
		return status >= http.StatusInternalServerError
	}
}

// longestError is more than Google says of any.
const longestError = 64 << 10

// missingBucket is the error for a bucket that is gone. The client takes that for an object that isn't there.
func missingBucket(answer *http.Response) error {
	said, err := io.ReadAll(io.LimitReader(answer.Body, longestError))
	if err != nil {
		return err
	}
	if bytes.Contains(said, []byte("specified bucket does not exist")) {
		return errors.New("storage: bucket doesn't exist")
	}
	answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(said))
	return nil
}
