package swift

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/wait"
)

const (
	connectTimeout = 10 * time.Second // for a TCP connection and, again, for TLS
	answerTimeout  = 60 * time.Second // for the first byte of an answer
	idleTimeout    = 60 * time.Second // for more data, once it flows

	// tokenReserve is how long before its end a token is replaced.
	tokenReserve = 2 * time.Minute
)

// retryPolicy says how often a request is tried and how long to wait in between.
type retryPolicy struct {
	attempts  int
	wait      time.Duration // before the second attempt; doubles with each further one
	longest   time.Duration
	total     time.Duration // after which no further attempt is begun
	noAnswers bool          // also when there was no answer at all
}

// steady is the policy of a driver at work: 6 attempts with about 6 seconds of waiting.
var steady = retryPolicy{attempts: 6, wait: 200 * time.Millisecond, longest: 5 * time.Second, total: 2 * time.Minute, noAnswers: true}

// starting is the policy while the driver is made: a wrong address should be reported at once.
var starting = retryPolicy{attempts: 3, wait: 200 * time.Millisecond, longest: time.Second, total: startTimeout}

// client sends requests to one container and its account. It signs in, signs in again when the token expires, and
// retries what failed only for the moment.
type client struct {
	connect   func() *ncw.Connection // a new connection, not signed in
	container string
	retry     retryPolicy

	signingIn chan struct{} // holds one item while somebody signs in
	current   atomic.Pointer[session]
}

// session is one successful sign-in. It is never renewed but replaced, so that requests under way and
// waiting ones need no common lock.
type session struct {
	conn    *ncw.Connection
	url     string // of the account
	expires time.Time
}

func (s *session) ending() bool {
	return !s.expires.IsZero() && time.Until(s.expires) < tokenReserve
}

func newClient(p *Options) *client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	transport.TLSHandshakeTimeout = connectTimeout
	transport.MaxIdleConnsPerHost = 64
	transport.DisableCompression = true
	// Uploads and downloads get connections of their own, instead of sharing one of HTTP/2.
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	if p.InsecureSkipVerify {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	return &client{
		container: p.Container,
		retry:     starting,
		signingIn: make(chan struct{}, 1),
		connect: func() *ncw.Connection {
			return &ncw.Connection{
				AuthUrl:                     p.AuthURL,
				AuthVersion:                 p.AuthVersion,
				UserName:                    p.Username,
				ApiKey:                      p.Password,
				ApplicationCredentialId:     p.ApplicationCredentialID,
				ApplicationCredentialName:   p.ApplicationCredentialName,
				ApplicationCredentialSecret: p.ApplicationCredentialSecret,
				Tenant:                      p.Tenant,
				TenantId:                    p.TenantID,
				Domain:                      p.Domain,
				DomainId:                    p.DomainID,
				TenantDomain:                p.TenantDomain,
				TenantDomainId:              p.TenantDomainID,
				TrustId:                     p.TrustID,
				Region:                      p.Region,
				EndpointType:                p.EndpointType,
				UserAgent:                   p.UserAgent,
				ConnectTimeout:              answerTimeout,
				Timeout:                     idleTimeout,
				Transport:                   transport,
			}
		},
	}
}

// session is the current sign-in, or a new one. One caller signs in, and the others wait for it.
func (c *client) session(ctx context.Context) (*session, error) {
	if s := c.current.Load(); s != nil && !s.ending() {
		return s, nil
	}
	select {
	case c.signingIn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.signingIn }()
	if s := c.current.Load(); s != nil && !s.ending() {
		return s, nil
	}
	conn := c.connect()
	if err := conn.Authenticate(ctx); err != nil {
		return nil, &signInError{err}
	}
	s := &session{conn: conn, url: conn.StorageUrl, expires: conn.Expires}
	c.current.Store(s)
	return s, nil
}

// forget drops a session whose token was refused, unless it has already been replaced.
func (c *client) forget(s *session) { c.current.CompareAndSwap(s, nil) }

// request is one call to Swift.
type request struct {
	method  string
	object  string // in the driver's container; empty for the container itself
	account bool   // the call is to the account, not to the container
	target  string // a URL to use instead of the account's
	query   url.Values
	headers ncw.Headers
	body    []byte
	stream  bool // the caller reads and closes the answer's body
}

func (c *client) name(r request) string {
	switch {
	case r.target != "":
		return r.method + " " + r.target
	case r.account:
		return r.method + " account"
	case r.object == "":
		return r.method + " " + c.container
	default:
		return r.method + " " + c.container + "/" + r.object
	}
}

// response is a successful answer, with its content, or with a body when the request wanted to stream it.
type response struct {
	headers  ncw.Headers
	content  []byte
	body     io.ReadCloser
	attempts int
}

// do sends a request until it succeeds, fails for good, or has failed too often.
func (c *client) do(ctx context.Context, r request) (*response, error) {
	begun := time.Now()
	signedInAgain := false
	for attempt := 1; ; attempt++ {
		resp, s, err := c.try(ctx, r)
		if err == nil {
			resp.attempts = attempt
			return resp, nil
		}
		if ctx.Err() != nil {
			return nil, c.ended(ctx, r, err)
		}
		if hasStatus(err, http.StatusUnauthorized) && !signedInAgain {
			// The token was revoked.
			signedInAgain = true
			c.forget(s)
			continue
		}
		if attempt >= c.retry.attempts || time.Since(begun) > c.retry.total || !c.retry.covers(r.method, err) {
			return nil, err
		}
		if c.retry.pause(ctx, attempt) != nil {
			// Swift's last answer is the reason, not that there was no time for another attempt.
			if statusOf(err) != 0 {
				return nil, err
			}
			return nil, c.ended(ctx, r, err)
		}
	}
}

// ended is the error of a request whose context has ended. It replaces the error of the last attempt.
func (c *client) ended(ctx context.Context, r request, last error) error {
	var signIn *signInError
	if errors.As(last, &signIn) {
		return &signInError{context.Cause(ctx)}
	}
	return &requestError{request: c.name(r), err: context.Cause(ctx)}
}

func (p retryPolicy) covers(method string, err error) bool {
	return passing(method, err) && (p.noAnswers || statusOf(err) != 0)
}

// pause waits before the next attempt: longer each time, and with jitter so that clients do not all retry at once.
func (p retryPolicy) pause(ctx context.Context, attempt int) error {
	most := min(p.wait<<(attempt-1), p.longest)
	return wait.For(ctx, most/2+rand.N(most))
}

// try sends a request once. The session is returned also when the request failed.
func (c *client) try(ctx context.Context, r request) (*response, *session, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, nil, err
	}
	opts := ncw.RequestOpts{
		Operation:  r.method,
		Parameters: r.query,
		Headers:    ncw.Headers{},
		// The library's own retries have no pause and can't rewind a body. Below zero means none.
		Retries: -1,
	}
	for key, value := range r.headers {
		opts.Headers[key] = value
	}
	if !r.account && r.target == "" {
		opts.Container, opts.ObjectName = c.container, r.object
	}
	if r.method == http.MethodPut || r.body != nil {
		opts.Headers["Content-Length"] = strconv.Itoa(len(r.body))
	}
	if len(r.body) > 0 {
		opts.Body = bytes.NewReader(r.body)
	}
	target := s.url
	if r.target != "" {
		target = r.target
	}
	// The library abandons a request that ran into its timeout without ending it. Cancelling the context ends it.
	ctx, cancel := context.WithCancel(ctx)
	resp, headers, err := s.conn.Call(ctx, target, opts)
	// Swift gives each of its answers a transaction ID. An answer without one is a page of something in front of
	// Swift, and does not tell whether an object exists.
	if answered := statusOf(err); r.target == "" && headers["X-Trans-Id"] == "" && (err == nil || answered != 0 && !isAnybodys(answered)) {
		if err == nil {
			answered = resp.StatusCode
			resp.Body.Close()
		}
		err = fmt.Errorf("no answer of Swift: %d of type %q", answered, headers["Content-Type"])
	}
	if err == nil && r.stream {
		return &response{headers: headers, body: &streamedBody{resp.Body, cancel}}, s, nil
	}
	defer cancel()
	var content []byte
	if err == nil {
		content, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if err != nil {
		return nil, s, &requestError{request: c.name(r), status: statusOf(err), trans: headers["X-Trans-Id"], err: err}
	}
	return &response{headers: headers, content: content}, s, nil
}

// streamedBody ends its request when closed.
type streamedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *streamedBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}
