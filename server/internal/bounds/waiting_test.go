package bounds

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// located is a connection from an address, which a forwarder may have, who tells of another one.
type located struct {
	net.Conn
	address string
}

func (l located) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(l.address), 1))
}

type forwarded struct {
	located
	forwarder net.Conn
}

func (f forwarded) NetConn() net.Conn { return f.forwarder }

// come adds a connection of the address with this letter.
func come(t *testing.T, l *connections, letter rune) *connection {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { far.Close() })
	return l.add(located{near, fmt.Sprintf("192.0.2.%d", letter)})
}

// TestWaiting has connections come to four places. Letters are addresses of clients; those of whom a
// request is under way are large.
func TestWaiting(t *testing.T) {
	for _, test := range []struct{ name, come, stay string }{
		{"of one address the first one goes", "aaaaaa", "__aaaa"},
		{"each has one", "abcdef", "__cdef"},
		{"of an address that has most", "bacaad", "b_c_ad"},
		{"newcomers of it", "bcdaaaaaaa", "bcd______a"},
		{"newcomers of two", "aaaabbbbbb", "__aa____bb"},
		{"of those that have as many, the first one", "abbaa", "_bbaa"},
		{"none of whom a request is under way", "AAAbbccdd", "AAA_____d"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := newConnections(Limits{Connections: 4, Requests: 3})
			var all []*connection
			for _, letter := range strings.ToLower(test.come) {
				c := come(t, l, letter)
				if test.come[len(all)] != byte(letter) {
					c.begin(&writer{}, false)
				}
				all = append(all, c)
			}
			stay := []byte(test.come)
			for i, c := range all {
				if c.closed {
					stay[i] = '_'
				}
				_ = c.Close()
			}
			if string(stay) != test.stay {
				t.Errorf("%s stay, want %s", stay, test.stay)
			}
			if len(l.waiting.order) != 0 || len(l.waiting.lines) != 0 {
				t.Errorf("left: %v, %v", l.waiting.order, l.waiting.lines)
			}
		})
	}
}

// TestWaitingBehindForwarder is by the clients' addresses, once the forwarder has told of them.
func TestWaitingBehindForwarder(t *testing.T) {
	l := newConnections(Limits{Connections: 3, Requests: 3})
	var all []*connection
	for _, client := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.2"} {
		near, far := net.Pipe()
		defer far.Close()
		c := l.add(forwarded{located{near, client}, located{near, "198.51.100.1"}})
		defer c.Close()
		all = append(all, c)
	}
	for _, c := range all {
		_ = c.RemoteAddr()
	}
	defer come(t, l, 'a').Close()
	if all[0].closed || !all[1].closed || all[2].closed {
		t.Errorf("closed: %v, %v, %v", all[0].closed, all[1].closed, all[2].closed)
	}
	all[2].begin(&writer{}, false)
	all[2].network = netip.Prefix{}
	if _ = all[2].RemoteAddr(); all[2].place != nil {
		t.Error("one of whom a request is under way waits")
	}
}
