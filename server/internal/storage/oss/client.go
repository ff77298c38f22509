package oss

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/retry"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/transport"
)

const (
	connectTimeout = 5 * time.Second
	// silenceTimeout ends a connection on which nothing moves. It is long
	// because OSS answers a copy or the end of an upload only when it is done.
	silenceTimeout = time.Minute
	maxAttempts    = 5
)

// newClient returns an SDK client for endpoint. The SDK retries with jittered
// exponential backoff, rewinding the body, and checks every upload's CRC.
func newClient(p parameters, endpoint *url.URL, provider credentials.CredentialsProvider) *oss.Client {
	cfg := oss.NewConfig().
		WithRegion(p.Region).
		WithEndpoint(endpoint.String()).
		WithCredentialsProvider(provider).
		WithSignatureVersion(oss.SignatureVersionV4).
		WithRetryer(retry.NewStandard(func(o *retry.RetryOptions) { o.MaxAttempts = maxAttempts })).
		WithHttpClient(newHTTPClient(endpoint))
	if p.UserAgent != "" {
		cfg.WithUserAgent(p.UserAgent)
	}
	return oss.NewClient(cfg, func(o *oss.Options) {
		// The SDK turns to path style when the endpoint is an IP address.
		o.UrlStyle = oss.UrlStyleVirtualHosted
	})
}

func newHTTPClient(endpoint *url.URL) *http.Client {
	timeouts := &transport.Config{ConnectTimeout: oss.Ptr(connectTimeout), ReadWriteTimeout: oss.Ptr(silenceTimeout)}
	client := transport.NewHttpClient(timeouts, func(t *http.Transport) {
		// Layers are already compressed, and a body that Go unpacks on the
		// way has lost its length.
		t.DisableCompression = true
		if net.ParseIP(endpoint.Hostname()) == nil {
			t.Proxy = http.ProxyFromEnvironment
		}
		// The SDK allows 100 connections; with that many downloads under way
		// every other request would have to wait for one to end.
		t.MaxConnsPerHost = 0
		t.MaxIdleConnsPerHost = 100
		t.DialContext = dialBucket(t.DialContext, endpoint)
	})
	client.Transport = genuine{client.Transport}
	return client
}

// genuine refuses the pages of proxies in front of OSS. OSS puts a request ID
// into each of its answers. The SDK takes a page with 200 for an empty list or
// for an object, and one with 404 for a missing object.
type genuine struct{ http.RoundTripper }

func (g genuine) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := g.RoundTripper.RoundTrip(request)
	if err != nil || response.Header.Get(oss.HeaderOssRequestID) != "" {
		return response, err
	}
	if response.StatusCode >= http.StatusMultipleChoices && response.StatusCode != http.StatusNotFound {
		return response, nil
	}
	response.Body.Close()
	return nil, noAnswer(fmt.Sprintf("%s of type %q", response.Status, response.Header.Get("Content-Type")))
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialBucket connects to the bucket's host name. No resolver knows
// bucket.192.0.2.1, so for an IP endpoint the connection goes to the address
// itself and the name stays in the Host header. Names below .localhost are
// loopback by RFC 6761, which not every resolver knows.
func dialBucket(dial dialFunc, endpoint *url.URL) dialFunc {
	ip := net.ParseIP(endpoint.Hostname())
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if ip != nil {
			return dial(ctx, network, net.JoinHostPort(ip.String(), port))
		}
		conn, err := dial(ctx, network, address)
		var unresolved *net.DNSError
		if errors.As(err, &unresolved) && strings.HasSuffix(host, ".localhost") {
			return dial(ctx, network, net.JoinHostPort("localhost", port))
		}
		return conn, err
	}
}
