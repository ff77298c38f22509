package proxied

import (
	"net"
	"sync"
	"time"
)

// patience is how long a forwarder has for its header, which it sends at once.
const patience = 5 * time.Second

// Listener has connections by forwarders, whose clients are those that these tell of. Of a
// forwarder with another key, or of a release with another code, they are the forwarder
// itself: while a service is updated there are both.
func Listener(listener net.Listener, key Key) net.Listener { return proxiedListener{listener, key} }

type proxiedListener struct {
	net.Listener
	key Key
}

func (l proxiedListener) Accept() (net.Conn, error) {
	accepted, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &connection{Conn: accepted, key: l.key}, nil
}

// connection reads its header when somebody first asks for the client: not while others
// wait to be accepted.
type connection struct {
	net.Conn
	key Key

	once   sync.Once
	client net.Addr
	err    error
}

// NetConn is for who sets what the kernel does for it.
func (c *connection) NetConn() net.Conn { return c.Conn }

func (c *connection) begin() {
	c.client = c.Conn.RemoteAddr()
	if c.err = c.SetReadDeadline(time.Now().Add(patience)); c.err != nil {
		return
	}
	client, believed, err := c.key.read(c.Conn, endsOf(c.Conn))
	if err != nil {
		c.err = err
		return
	}
	if believed {
		c.client = net.TCPAddrFromAddrPort(client)
	}
	c.err = c.SetReadDeadline(time.Time{})
}

func (c *connection) RemoteAddr() net.Addr {
	c.once.Do(c.begin)
	return c.client
}

func (c *connection) Read(p []byte) (int, error) {
	if c.once.Do(c.begin); c.err != nil {
		return 0, c.err
	}
	return c.Conn.Read(p)
}
