package proxied

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var (
	ours   = KeyOf("secret")
	client = netip.MustParseAddrPort("192.0.2.7:1234")
	at     = netip.MustParseAddrPort("10.0.0.1:5000")
	on     = Ends{netip.MustParseAddrPort("10.0.1.2:40000"), netip.MustParseAddrPort("10.0.1.3:5001")}
)

func TestHeader(t *testing.T) {
	for _, test := range []struct{ client, at, want string }{
		{"192.0.2.7:1234", "10.0.0.1:5000", "192.0.2.7:1234"},
		{"[2001:db8::1]:65535", "[2001:db8::2]:5000", "[2001:db8::1]:65535"},
		{"[2001:db8::1]:1", "10.0.0.1:5000", "[2001:db8::1]:1"},
		{"192.0.2.7:1234", "[2001:db8::2]:5000", "192.0.2.7:1234"},
		{"[::ffff:192.0.2.7]:1234", "[::ffff:10.0.0.1]:5000", "192.0.2.7:1234"},
	} {
		header := ours.Header(netip.MustParseAddrPort(test.client), netip.MustParseAddrPort(test.at), on)
		rest := bytes.NewReader(append(header, "GET /"...))
		got, believed, err := ours.read(rest, on)
		if got.String() != test.want || !believed || err != nil {
			t.Errorf("%s at %s: %s, believed %t, %v", test.client, test.at, got, believed, err)
		}
		if rest.Len() != len("GET /") {
			t.Errorf("%s at %s: %d bytes are left", test.client, test.at, rest.Len())
		}
	}
}

// TestKey is what the deployment gives to forwarders (test/unit/configuration.test.ts).
func TestKey(t *testing.T) {
	if got := string(ours); got != "1610d5b41e4a3ef60d84a10934ecafbe9aef1712b484228854acad2d8ec867b1" {
		t.Error(got)
	}
}

// TestForged changes every byte of a header.
func TestForged(t *testing.T) {
	header := ours.Header(client, at, on)
	for i := range header {
		forged := slices.Clone(header)
		forged[i] ^= 1
		if got, believed, err := ours.read(bytes.NewReader(forged), on); err == nil && believed {
			t.Errorf("byte %d: believed %s", i, got)
		}
	}
	if _, believed, err := ours.read(bytes.NewReader(KeyOf("another").Header(client, at, on)), on); err != nil || believed {
		t.Errorf("another key: believed %t, %v", believed, err)
	}
}

// TestRepeated is a header that somebody has read and sends on a connection of his own.
func TestRepeated(t *testing.T) {
	header := ours.Header(client, at, on)
	for name, other := range map[string]Ends{
		"from another port":    {netip.MustParseAddrPort("10.0.1.2:40001"), on.Server},
		"from another address": {netip.MustParseAddrPort("10.0.1.9:40000"), on.Server},
		"to another server":    {on.Forwarder, netip.MustParseAddrPort("10.0.1.4:5001")},
		"the other way":        {on.Server, on.Forwarder},
		"from nowhere":         {},
	} {
		if got, believed, err := ours.read(bytes.NewReader(header), other); believed || err != nil {
			t.Errorf("%s: believed %s, %v", name, got, err)
		}
	}
	mapped := Ends{netip.MustParseAddrPort("[::ffff:10.0.1.2]:40000"), on.Server}
	if _, believed, err := ours.read(bytes.NewReader(header), mapped); !believed || err != nil {
		t.Errorf("IPv4 by IPv6: believed %t, %v", believed, err)
	}
}

func TestListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	proxied := Listener(listener, ours)
	for name, test := range map[string]struct {
		sent         func(own Ends) string
		client, rest string
		fails        bool
	}{
		"a header": {func(own Ends) string { return string(ours.Header(client, at, own)) + "hello" }, "192.0.2.7", "hello", false},
		"one of another connection": {
			func(Ends) string { return string(ours.Header(client, at, on)) + "hello" }, "127.0.0.1", "hello", false,
		},
		"one by another key": {
			func(own Ends) string { return string(KeyOf("another").Header(client, at, own)) + "hello" }, "127.0.0.1", "hello", false,
		},
		"none":        {func(Ends) string { return "GET / HTTP/1.1\r\nHost: registry\r\n\r\n" }, "127.0.0.1", "", true},
		"half of one": {func(own Ends) string { return string(ours.Header(client, at, own)[:20]) }, "127.0.0.1", "", true},
		"one that claims its end": {
			func(Ends) string { return signature + "\x21\x11\xff\xff" + strings.Repeat("x", 1000) }, "127.0.0.1", "", true,
		},
		"nothing": {func(Ends) string { return "" }, "127.0.0.1", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			near, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer near.Close()
			if _, err := io.WriteString(near, test.sent(EndsOf(near))); err != nil {
				t.Fatal(err)
			}
			if err := near.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			far, err := proxied.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer far.Close()
			if host, _, err := net.SplitHostPort(far.RemoteAddr().String()); host != test.client || err != nil {
				t.Errorf("the client is %s, %v", far.RemoteAddr(), err)
			}
			got, err := io.ReadAll(far)
			if test.fails != (err != nil) || string(got) != test.rest {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
