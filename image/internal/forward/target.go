package forward

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

const (
	// dialTimeout is for one address: a node that lost its power answers nothing.
	dialTimeout = 2 * time.Second
	// pause is the time between two rounds over all addresses.
	pause = 200 * time.Millisecond
)

// target is a service whose tasks are found by DNS.
type target struct {
	host, port string
	lookup     func(ctx context.Context, host string) ([]string, error)
}

func (t target) String() string { return net.JoinHostPort(t.host, t.port) }

// dial connects to a task that answers. The name is looked up anew each time, as tasks
// come and go; the order is random, so that the load is spread. It tries until ctx ends.
func (t target) dial(ctx context.Context) (*net.TCPConn, error) {
	var last error
	for {
		connection, err := t.round(ctx)
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
func (t target) round(ctx context.Context) (*net.TCPConn, error) {
	addresses, err := t.lookup(ctx, t.host)
	if err != nil {
		return nil, err
	}
	if len(addresses) == 0 {
		return nil, errors.New("no addresses")
	}
	rand.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	var failures []error
	dialer := net.Dialer{Timeout: dialTimeout}
	for _, address := range addresses {
		connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, t.port))
		if err == nil {
			return connection.(*net.TCPConn), nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}
