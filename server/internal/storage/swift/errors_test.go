package swift

import (
	"crypto/tls"
	"errors"
	"fmt"
	"testing"

	ncw "github.com/ncw/swift/v2"
)

func TestPassing(t *testing.T) {
	status := func(code int) error {
		return &requestError{request: "GET x", status: code, err: fmt.Errorf("%w: text", &ncw.Error{StatusCode: code, Text: "x"})}
	}
	for _, test := range []struct {
		method string
		err    error
		want   bool
	}{
		{"GET", &requestError{err: errors.New("connection reset")}, true},
		{"GET", &requestError{err: ncw.TimeoutError}, true},
		{"GET", &requestError{err: &tls.CertificateVerificationError{Err: errors.New("unknown authority")}}, false},
		{"GET", &signInError{errors.New("connection refused")}, true},
		{"GET", &signInError{ncw.AuthorizationFailed}, false},
		{"GET", &signInError{&ncw.Error{StatusCode: 503}}, true},
		{"GET", &signInError{&ncw.Error{Text: "no storage URL"}}, false},
		{"GET", status(500), true},
		{"GET", status(501), false},
		{"GET", status(503), true},
		{"GET", status(507), true},
		{"GET", status(429), true},
		{"GET", status(498), true},
		{"GET", status(408), true},
		{"GET", status(400), false},
		{"GET", status(401), false},
		{"GET", status(403), false},
		{"GET", status(404), false},
		{"PUT", status(412), false},
		{"PUT", status(413), false},
		{"PUT", status(422), true},
		{"GET", status(422), false},
		{"DELETE", status(409), true},
		{"GET", status(409), false},
	} {
		if got := passing(test.method, test.err); got != test.want {
			t.Errorf("%s %v: %t, want %t", test.method, test.err, got, test.want)
		}
	}
}

func TestPlain(t *testing.T) {
	err := errors.New("HTTP Error: 503: <html><h1>Service\n Unavailable</h1><p>Try <b>later</b>.</p></html>")
	if got, want := plain(err), "HTTP Error: 503: Service Unavailable Try later ."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
