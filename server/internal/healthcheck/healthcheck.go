// Package healthcheck asks the server of the same container whether it lives, that is, whether it
// answers at all. A store that does not answer is not a reason to replace the server.
package healthcheck

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/configuration"
)

// Path is where a server tells everybody that it lives.
const Path = "/livez"

const (
	// timeout is the time for one request.
	timeout = 5 * time.Second
	// pause is the time between two requests of a watch.
	pause = time.Second
	// shortPause is the time between two requests to a server that does not answer yet.
	shortPause = 100 * time.Millisecond
	// young is the uptime below which a server may just not answer yet.
	young = 5 * time.Second
)

// Watch asks for as long as given, at least once, and returns the outcome of the last
// request. It ends early when a server answers that has just started and was not checked
// yet, or that did not answer before, so that such a container is healthy at once.
//
// Docker engines before 25 have no start interval, so the interval of the check is
// set short for a fast first result, and the check itself takes its time: if it
// failed as soon as possible, Docker would start a process four times a second in a
// container that is in trouble already.
func Watch(ctx context.Context, config configuration.HTTP, length time.Duration) error {
	return watch{newProbe(config), pause, shortPause, serverUptime}.run(ctx, length)
}

type watch struct {
	probe             *probe
	pause, shortPause time.Duration
	uptime            func() (time.Duration, error)
}

func (w watch) run(ctx context.Context, length time.Duration) error {
	end := time.Now().Add(length)
	failed := false
	for {
		checked, err := w.probe.ask(ctx)
		up, unknown := w.uptime()
		isYoung := unknown == nil && up < young
		if err == nil && (isYoung && !checked || failed) {
			return nil
		}
		failed = failed || err != nil
		pause := w.pause
		if isYoung && err != nil {
			pause = w.shortPause
		}
		if time.Now().Add(pause).After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

type probe struct {
	url    string
	client *http.Client
	// mutual is set when the server demands certificates from its clients.
	mutual bool
}

func newProbe(config configuration.HTTP) *probe {
	scheme := "http"
	if config.TLS.Certificate != "" {
		scheme = "https"
	}
	network, address := destination(config)
	dialer := &net.Dialer{}
	return &probe{
		url:    scheme + "://localhost" + Path,
		mutual: len(config.TLS.ClientCAs) > 0,
		client: &http.Client{
			Timeout: timeout,
			Transport: &http.Transport{
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return dialer.DialContext(ctx, network, address)
				},
				// It is this container's own server, whatever name its certificate
				// has, and the request contains no secret.
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			},
		},
	}
}

// destination returns where the server can be reached from its own container.
func destination(config configuration.HTTP) (network, address string) {
	if config.Net == "unix" {
		return "unix", config.Addr
	}
	host, port, err := net.SplitHostPort(config.Addr)
	if err != nil {
		return "tcp", config.Addr
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "tcp", net.JoinHostPort(host, port)
}

// ask makes one request, and says whether the server was checked before, if the server tells.
func (p *probe) ask(ctx context.Context) (checked bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("User-Agent", userAgent)
	response, err := p.client.Do(request)
	if err != nil {
		var answer *net.OpError
		if p.mutual && errors.As(err, &answer) && answer.Op == "remote error" {
			// A TLS alert: the server answers, and refuses a client without a certificate as it should.
			return false, nil
		}
		return false, err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return false, err
	}
	if response.StatusCode != http.StatusOK {
		return false, fmt.Errorf("GET %s answers %s", Path, response.Status)
	}
	return response.Header.Get(checkedBefore) != "", nil
}
