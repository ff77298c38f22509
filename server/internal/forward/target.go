package forward

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/singleflight"

	"container-registry/server/internal/proxied"
)

const (
	// dialTimeout is for one address: a node that lost its power answers nothing.
	dialTimeout   = 2 * time.Second
	lookupTimeout = 5 * time.Second
	// pause is the time between two rounds over all addresses.
	pause = 200 * time.Millisecond
)

// target is a service whose tasks are found by DNS.
type target struct {
	host, port string
	// proxied is the port for connections with a header by key, if there are any.
	proxied string
	key     proxied.Key
	lookup  func(ctx context.Context, host string) ([]string, error)

	flight singleflight.Group
	// found is what was found last; of use in a flight only.
	found found
}

type found struct {
	at        time.Time
	addresses []string
	err       error
}

func (t *target) String() string { return net.JoinHostPort(t.host, t.port) }

// addresses are looked up once for all that look in the same moment. Those that look
// again take what others have just found: while no task answers, every client waits.
func (t *target) addresses(ctx context.Context, again bool) ([]string, error) {
	flight := t.flight.DoChan("", func() (any, error) {
		if !again || time.Since(t.found.at) >= pause {
			ctx, cancel := context.WithTimeout(context.Background(), lookupTimeout)
			defer cancel()
			addresses, err := t.lookup(ctx, t.host)
			t.found = found{time.Now(), addresses, err}
		}
		return t.found.addresses, t.found.err
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-flight:
		if result.Err != nil {
			return nil, result.Err
		}
		return slices.Clone(result.Val.([]string)), nil
	}
}

// dial connects a client to a task that answers. The name is looked up anew each time, as tasks
// come and go; the order is random, so that the load is spread. It tries until ctx ends.
func (t *target) dial(ctx context.Context, client *net.TCPConn) (*net.TCPConn, error) {
	var last error
	for again := false; ; again = true {
		connection, err := t.round(ctx, client, again)
		if err == nil {
			return connection, nil
		}
		// What ended the last try is only that the time is over.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w", t, last)
		case <-time.After(pause):
		}
	}
}

// round tries each address once.
func (t *target) round(ctx context.Context, client *net.TCPConn, again bool) (*net.TCPConn, error) {
	addresses, err := t.addresses(ctx, again)
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, errors.New("no addresses")
	}
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	var failures []error
	for _, address := range addresses {
		connection, err := t.connect(ctx, client, address)
		if err == nil {
			return connection, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// connect tells the task at an address of the client, if it can be told.
func (t *target) connect(ctx context.Context, client *net.TCPConn, address string) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	if t.proxied != "" {
		connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, t.proxied))
		switch {
		case err == nil:
			from, at := client.RemoteAddr().(*net.TCPAddr), client.LocalAddr().(*net.TCPAddr)
			if _, err := connection.Write(t.key.Header(from.AddrPort(), at.AddrPort(), proxied.EndsOf(connection))); err != nil {
				connection.Close()
				return nil, err
			}
			return connection.(*net.TCPConn), nil
		case !errors.Is(err, syscall.ECONNREFUSED):
			return nil, err
		}
	}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, t.port))
	if err != nil {
		return nil, err
	}
	return connection.(*net.TCPConn), nil
}
