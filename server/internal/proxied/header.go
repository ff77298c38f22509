// Package proxied has a server know the clients of its own forwarders. A forwarder sends
// version 2 of the PROXY protocol ahead of what a client says, with a code that only who
// has the server's key can make, and for one connection only: both of its ends are in the
// code. So nobody who reaches the port can pose as another, also not by repeating what he
// read of the traffic between forwarder and server, without the forwarder's own address and
// port to get answers at.
package proxied

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
)

// signature begins every header, and nothing that HTTP or TLS begin with.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

const (
	proxy  = 0x21 // version 2, for somebody else
	tcp4   = 0x11
	tcp6   = 0x21
	prefix = len(signature) + 4
	// code is the type of the code's entry, one of those that applications may define.
	code     = 0xe0
	codeSize = 3 + sha256.Size
)

// Key is what a server and its forwarders have in common.
type Key []byte

// KeyOf is that of the servers with this http.secret, who can't be asked for the one by the other.
func KeyOf(secret string) Key {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("container-registry forwarder"))
	return Key(hex.EncodeToString(mac.Sum(nil)))
}

// Ends are those of the connection between a forwarder and a server.
type Ends struct{ Forwarder, Server netip.AddrPort }

// EndsOf are those of a connection by TCP, as the one who has opened it sees it.
func EndsOf(opened net.Conn) Ends {
	return Ends{addressOf(opened.LocalAddr()), addressOf(opened.RemoteAddr())}
}

// endsOf are those of a connection as the one who has accepted it sees it.
func endsOf(accepted net.Conn) Ends {
	return Ends{addressOf(accepted.RemoteAddr()), addressOf(accepted.LocalAddr())}
}

// addressOf is of nobody where it is not by TCP.
func addressOf(a net.Addr) netip.AddrPort {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort()
	}
	return netip.AddrPort{}
}

// Header tells of a client and the address that it went to, on one connection.
func (k Key) Header(client, at netip.AddrPort, on Ends) []byte {
	b := append([]byte(signature), proxy)
	from, to := client.Addr().Unmap(), at.Addr().Unmap()
	if from.Is4() && to.Is4() {
		b = append(b, tcp4, 0, 12+codeSize)
		b = append(append(b, from.AsSlice()...), to.AsSlice()...)
	} else {
		b = append(b, tcp6, 0, 36+codeSize)
		for _, address := range []netip.Addr{from, to} {
			wide := address.As16()
			b = append(b, wide[:]...)
		}
	}
	b = binary.BigEndian.AppendUint16(b, client.Port())
	b = binary.BigEndian.AppendUint16(b, at.Port())
	b = append(b, code, 0, sha256.Size)
	return append(b, k.sign(b, on)...)
}

func (k Key) sign(header []byte, on Ends) []byte {
	mac := hmac.New(sha256.New, k)
	mac.Write(header)
	for _, end := range []netip.AddrPort{on.Forwarder, on.Server} {
		wide := end.Addr().As16()
		mac.Write(binary.BigEndian.AppendUint16(wide[:], end.Port()))
	}
	return mac.Sum(nil)
}

var errNoHeader = errors.New("no header of a forwarder")

// read takes a header and no more. What it tells is not to be believed unless it is by this key,
// and for this connection.
func (k Key) read(from io.Reader, on Ends) (client netip.AddrPort, believed bool, err error) {
	b := make([]byte, prefix, prefix+36+codeSize)
	if _, err := io.ReadFull(from, b); err != nil {
		return client, false, err
	}
	family, size := b[prefix-3], int(binary.BigEndian.Uint16(b[prefix-2:]))
	width := map[byte]int{tcp4: 4, tcp6: 16}[family]
	if string(b[:len(signature)]) != signature || b[len(signature)] != proxy || width == 0 || size != 2*width+4+codeSize {
		return client, false, errNoHeader
	}
	b = b[:prefix+size]
	if _, err := io.ReadFull(from, b[prefix:]); err != nil {
		return client, false, err
	}
	signed := b[:len(b)-sha256.Size]
	address, _ := netip.AddrFromSlice(b[prefix : prefix+width])
	port := binary.BigEndian.Uint16(b[prefix+2*width:])
	return netip.AddrPortFrom(address.Unmap(), port), hmac.Equal(k.sign(signed, on), b[len(signed):]), nil
}
