package swift

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	ncw "github.com/ncw/swift/v2"
)

// requestError is a request that Swift answered with an error, or did not answer.
type requestError struct {
	request string // method and name, for people
	status  int    // 0 when there was no answer
	trans   string // Swift's id of the request, to find it in the cluster's logs
	err     error
}

func (e *requestError) Error() string {
	text := fmt.Sprintf("%s: %s", e.request, plain(e.err))
	if e.trans != "" {
		text += " (" + e.trans + ")"
	}
	return text
}

func (e *requestError) Unwrap() error { return e.err }

// signInError is a failure to get a token from the authentication service.
type signInError struct {
	err error
}

func (e *signInError) Error() string { return "signing in: " + plain(e.err) }

func (e *signInError) Unwrap() error { return e.err }

// statusOf is the HTTP status an error came with, 0 when it came with none.
func statusOf(err error) int {
	var swiftErr *ncw.Error
	// The library gives its own timeouts the status of a server's.
	if !errors.Is(err, ncw.TimeoutError) && errors.As(err, &swiftErr) {
		return swiftErr.StatusCode
	}
	return 0
}

// hasStatus says whether Swift (not the authentication service) answered with this status.
func hasStatus(err error, status int) bool {
	var request *requestError
	return errors.As(err, &request) && request.status == status
}

func isNotFound(err error) bool { return hasStatus(err, http.StatusNotFound) }

var markup = regexp.MustCompile(`<[^>]*>`)

// plain is the text of an error on one line: Swift answers errors in HTML.
func plain(err error) string {
	return strings.Join(strings.Fields(markup.ReplaceAllString(err.Error(), " ")), " ")
}

// passing says whether a retry may help.
func passing(method string, err error) bool {
	switch status := statusOf(err); status {
	case 0:
		var certificate *tls.CertificateVerificationError
		return !errors.As(err, &certificate) && !isMissingEndpoint(err)
	case http.StatusRequestTimeout, http.StatusTooManyRequests, 498:
		return true
	case http.StatusUnprocessableEntity:
		// The checksum sent along did not match: the data was damaged on its way.
		return method == http.MethodPut
	case http.StatusConflict:
		// A write met an object with a newer time stamp, from a proxy whose clock is ahead. For a read, the status
		// means that a large object has lost a segment.
		return method != http.MethodGet && method != http.MethodHead
	case http.StatusNotImplemented:
		return false
	default:
		return status >= 500
	}
}

// isAnybodys says whether a status means the same whether or not it comes from Swift: that a token is to be
// replaced, or that the request is to be sent again later.
func isAnybodys(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusTooManyRequests, 498:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	default:
		return status >= 500
	}
}

// isMissingEndpoint says whether signing in worked, but the catalog had no object store that fits.
func isMissingEndpoint(err error) bool {
	var swiftErr *ncw.Error
	return errors.As(err, &swiftErr) && swiftErr.StatusCode == 0
}

// startError explains why the driver can't be made, in terms of its parameters.
func startError(p *Options, err error) error {
	var signIn *signInError
	if errors.As(err, &signIn) {
		return fmt.Errorf("swift: %s", signInProblem(p, signIn.err))
	}
	switch {
	case isNotFound(err):
		return fmt.Errorf("swift: container %q does not exist in this account; create it first", p.Container)
	case hasStatus(err, http.StatusForbidden), hasStatus(err, http.StatusUnauthorized):
		return fmt.Errorf("swift: the credentials are good, but not allowed to use container %q", p.Container)
	case statusOf(err) == 0:
		return fmt.Errorf("swift: signed in, but the object store can't be reached: %w", err)
	default:
		return fmt.Errorf("swift: looking at container %q: %w", p.Container, err)
	}
}

func signInProblem(p *Options, err error) string {
	switch status := statusOf(err); {
	case isMissingEndpoint(err):
		kind := p.EndpointType
		if kind == "" {
			kind = ncw.EndpointTypePublic
		}
		where := ""
		if p.Region != "" {
			where = fmt.Sprintf(" in region %q", p.Region)
		}
		return fmt.Sprintf("signed in at %s, but its catalog has no %s object-store endpoint%s; check region, endpointtype and tenant", p.AuthURL, kind, where)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Sprintf("%s refused the credentials", p.AuthURL)
	case status == http.StatusNotFound, status == http.StatusMultipleChoices:
		return fmt.Sprintf("%s is not an authentication service of version %d; check authurl and authversion", p.AuthURL, p.AuthVersion)
	default:
		return fmt.Sprintf("can't sign in at %s: %s", p.AuthURL, plain(err))
	}
}
