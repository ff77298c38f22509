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
	// signers sign URLs for a machine without a key. Their answers have no upload ID.
	signers = "iamcredentials."
	// signTimeout bounds a signature: the client asks for it without a request's context.
	signTimeout = 10 * time.Second
)

// answers refuses answers that are not Google's. The client takes any 404 for a missing object, whatever
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
	// Google gives each of its answers an upload ID. An answer without one is a page of something in front of it.
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

// sign reads the whole answer within signTimeout, or fails.
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

// isAnybodys says whether a status means the same whether or not it comes from Google.
func isAnybodys(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	default:
		return status >= http.StatusInternalServerError
	}
}

// longestError is more than the body of any error that Google answers.
const longestError = 64 << 10

// missingBucket is the error if the bucket is gone. The client would take the answer for that of a missing object.
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
