// Package forward passes TCP connections on to the tasks of a service, so that every
// node of a Swarm has the registry on a port of its own. Nothing of what goes through
// is looked at: TLS is between the client and the registry.
package forward

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/proxied"
)

// Options of a forwarder. What is not given has the default.
type Options struct {
	// Connections at once; more take the places of those that stand still, or have none.
	Connections int
	// DialLimit is how long a task is looked for before a client is turned away.
	// Long enough for a task that is replaced. 15 s unless given.
	DialLimit time.Duration
	// DrainLimit is how long connections have to end once the forwarder stops. 30 s unless given.
	DrainLimit time.Duration
	// IdleLimit is how long nothing may move on a connection. 20 minutes unless given: a
	// request may wait 5 minutes for a place and 10 for the store, and nothing moves meanwhile.
	IdleLimit time.Duration
	// RestLimit is how long a piece may take to move once a side has ended its half. 1 minute
	// unless given.
	RestLimit time.Duration
	// Lookup finds the addresses of a name; by DNS unless given.
	Lookup func(ctx context.Context, host string) ([]string, error)
	// Proxied is the port where tasks take connections with a header that tells of the client,
	// made by Key. One that does not listen there is asked by the target's port: it is of an
	// older release, which would not know the header. No header unless given.
	Proxied string
	Key     proxied.Key
	// Health is a socket that Check asks; none unless given.
	Health string
	Log    *logrus.Entry
}

func (o Options) withDefaults() Options {
	if o.DialLimit == 0 {
		o.DialLimit = 15 * time.Second
	}
	if o.DrainLimit == 0 {
		o.DrainLimit = 30 * time.Second
	}
	if o.IdleLimit == 0 {
		o.IdleLimit = 20 * time.Minute
	}
	if o.RestLimit == 0 {
		o.RestLimit = time.Minute
	}
	if o.Lookup == nil {
		o.Lookup = net.DefaultResolver.LookupHost
	}
	return o
}

// Forwarder listens, and passes connections on to a target.
type Forwarder struct {
	options  Options
	target   *target
	listener net.Listener
	health   net.Listener
	places   *places
}

// New listens on an address for connections to target, a host:port whose host is
// looked up for each of them. Nothing is passed on before Run.
func New(listen, to string, options Options) (*Forwarder, error) {
	host, port, err := net.SplitHostPort(to)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	options = options.withDefaults()
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	f := &Forwarder{
		options:  options,
		target:   &target{host: host, port: port, proxied: options.Proxied, key: options.Key, lookup: options.Lookup},
		listener: listener,
		places:   newPlaces(options.Connections),
	}
	if options.Health != "" {
		if f.health, err = net.Listen("unix", options.Health); err != nil {
			listener.Close()
			return nil, err
		}
	}
	return f, nil
}

// Addr is the address it listens on.
func (f *Forwarder) Addr() net.Addr { return f.listener.Addr() }

// Run passes connections on until ctx ends, then waits for those that are open.
func (f *Forwarder) Run(ctx context.Context) error {
	f.options.Log.WithFields(logrus.Fields{"address": f.Addr().String(), "target": f.target.String()}).Info("forwarding")
	stop := context.AfterFunc(ctx, func() { f.listener.Close() })
	defer stop()

	if f.health != nil {
		defer f.health.Close()
		go answer(f.health)
	}
	// Connections outlive ctx by the time they have to end.
	open, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var connections sync.WaitGroup
	err := f.accept(ctx, func(client *net.TCPConn) bool {
		own, cutOne := context.WithCancel(open)
		if !f.places.enter(ctx, client, cutOne) {
			cutOne()
			// A reset tells the client at once.
			end(client)
			return ctx.Err() == nil
		}
		connections.Go(func() {
			defer f.places.leave(client)
			defer cutOne()
			f.serve(own, client)
		})
		return true
	})
	if err != nil {
		return err
	}
	f.options.Log.Infof("stopping; open connections have %s to end", f.options.DrainLimit)
	timer := time.AfterFunc(f.options.DrainLimit, cut)
	defer timer.Stop()
	connections.Wait()
	return nil
}

// accept hands out connections until ctx ends. It leaves the next ones to the kernel's queue while somebody
// leaves a place for one.
func (f *Forwarder) accept(ctx context.Context, serve func(*net.TCPConn) bool) error {
	for {
		client, err := f.listener.Accept()
		switch {
		case err == nil:
			if !serve(client.(*net.TCPConn)) {
				return nil
			}
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// Out of file descriptors, or a client that went away again.
			f.options.Log.WithError(err).Warn("a connection was not accepted")
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (f *Forwarder) serve(ctx context.Context, client *net.TCPConn) {
	defer client.Close()
	limited, cancel := context.WithTimeout(ctx, f.options.DialLimit)
	task, err := f.target.dial(limited, client)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			f.options.Log.WithError(err).WithField("client", client.RemoteAddr().String()).Error("no task of the registry answers")
		}
		// A reset tells the client at once; an orderly end would look like an empty answer.
		_ = client.SetLinger(0)
		return
	}
	defer task.Close()
	stop := context.AfterFunc(ctx, func() { end(client, task) })
	defer stop()
	f.join(client, task)
}

// join passes bytes both ways until both sides have ended. A side that ends its half
// still gets what the other one has to say, as long as it takes it.
func (f *Forwarder) join(a, b *net.TCPConn) {
	l := &limiter{sides: [2]*net.TCPConn{a, b}, idle: f.options.IdleLimit, rest: f.options.RestLimit}
	l.start()
	defer l.stop()
	var ways sync.WaitGroup
	pass := func(to, from *net.TCPConn) {
		for {
			_, err := io.CopyN(to, from, piece)
			switch {
			case err == nil:
				l.moved()
			case errors.Is(err, io.EOF):
				_ = to.CloseWrite()
				l.halve()
				return
			default:
				end(a, b)
				return
			}
		}
	}
	ways.Go(func() { pass(a, b) })
	ways.Go(func() { pass(b, a) })
	ways.Wait()
}

// end cuts off both sides: what is lost could not be told from what ended otherwise.
func end(sides ...*net.TCPConn) {
	for _, c := range sides {
		_ = c.SetLinger(0)
		c.Close()
	}
}

// limiter ends a connection that has reached its limit. While both sides are there, that is
// for how long nothing has moved, however little it was: the server sees to the pace of its
// clients, and one may keep a connection for a small request now and then. Once a side has
// ended its half nobody else does, and a piece has to move within the limit.
type limiter struct {
	sides      [2]*net.TCPConn
	idle, rest time.Duration

	mu    sync.Mutex
	timer *time.Timer
	// half is set once a side has ended its half, and over once there is nothing to end.
	half, over bool
}

func (l *limiter) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(l.idle, l.reached)
}

// reached is called when no piece has moved within the limit.
func (l *limiter) reached() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	if !l.half {
		if left := l.idle - min(still(l.sides[0]), still(l.sides[1])); left > 0 {
			l.timer.Reset(left)
			return
		}
	}
	end(l.sides[0], l.sides[1])
}

// moved is for a piece.
func (l *limiter) moved() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.half {
		l.timer.Reset(l.rest)
	} else {
		l.timer.Reset(l.idle)
	}
}

func (l *limiter) halve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.half = true
	l.timer.Reset(l.rest)
}

func (l *limiter) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.timer.Stop()
}

// piece is how much moves before the limit begins anew: little enough for a slow line.
const piece = 32 << 10
