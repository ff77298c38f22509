package s3

import (
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/corehandlers"
	"github.com/aws/aws-sdk-go/aws/request"
)

var waitToRetry = corehandlers.AfterRetryHandler.Fn

// afterRetry waits before the next attempt, if there is to be one. The store's answer stays the
// reason for a failure.
func afterRetry(r *request.Request) {
	if r.HTTPResponse == nil {
		waitToRetry(r)
		return
	}
	if host := leadsTo(r); host != "" {
		r.Error = awserr.New("TemporaryRedirect", "the store leads to "+host, nil)
	}
	answered := r.Error
	if deadline, ok := r.Context().Deadline(); ok && time.Until(deadline) < asked(r) {
		// The client then waits as for a store that names no time: the store may throttle only now and
		// then.
		r.HTTPResponse.Header.Del(retryAfter)
	}
	waitToRetry(r)
	if r.Error != nil {
		// If time is up while the client waits, the client reports only that.
		r.Error = answered
	}
}

const retryAfter = "Retry-After"

// asked is how long a store that throttles asks clients to wait.
func asked(r *request.Request) time.Duration {
	seconds, _ := strconv.Atoi(r.HTTPResponse.Header.Get(retryAfter))
	return time.Duration(seconds) * time.Second
}

// leadsTo is the host that refused a redirected request, because its signature was for the host that redirected
// the client. It is empty if nothing of the kind happened.
func leadsTo(r *request.Request) string {
	switch r.HTTPResponse.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		if last := r.HTTPResponse.Request; last != nil && last.URL.Host != r.HTTPRequest.URL.Host {
			return last.URL.Host
		}
	}
	return ""
}
