// Package clientaddress has a server know the clients of reverse proxies, which tell of them in
// a header of each request. Who is no proxy can write such headers too, so they are believed
// of the proxies that the operator names, and step by step: each proxy adds where its request
// came from, and what stands before that is believed if it came from a proxy again. So it is with
// those that tell by what name the client knows the server.
package clientaddress

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"container-registry/server/internal/config"
)

const (
	forwardedFor = "X-Forwarded-For"
	forwarded    = "Forwarded"
	realIP       = "X-Real-Ip"
)

// The engine would believe these of everybody, also once the address of the client is known.
var (
	ofClients = []string{forwardedFor, realIP}
	ofServer  = append([]string{forwarded}, ofFirst...)
	// ofFirst may be lists, of which the engine takes one apart and puts the other one into addresses.
	ofFirst = []string{"X-Forwarded-Host", "X-Forwarded-Proto"}
)

// Handler gives requests on with the address of the client as theirs, for logs and for limits. What
// others than trusted proxies say of the server's own address is taken out, and of several proxies' lists
// stays what the first one says, which the client spoke to: whoever tells clients an address has one.
func Handler(trusted []config.Network, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, unbelieved := r.RemoteAddr, slices.Concat(ofClients, ofServer)
		if peer, err := netip.ParseAddrPort(address); err == nil && trusts(trusted, plain(peer.Addr())) {
			unbelieved = ofClients
			if client := behind(trusted, plain(peer.Addr()), r.Header); client != plain(peer.Addr()) {
				// No proxy tells of the port.
				address = netip.AddrPortFrom(client, 0).String()
			}
		}
		isThere := func(name string) bool { return r.Header[name] != nil }
		if address != r.RemoteAddr || slices.ContainsFunc(unbelieved, isThere) || slices.ContainsFunc(ofFirst, isThere) {
			r = r.Clone(r.Context())
			r.RemoteAddr = address
			for _, name := range unbelieved {
				r.Header.Del(name)
			}
			for _, name := range ofFirst {
				if list := r.Header[name]; len(list) > 0 {
					first, _, _ := strings.Cut(list[0], ",")
					r.Header.Set(name, strings.TrimSpace(first))
				}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// behind is the client of a trusted proxy.
func behind(trusted []config.Network, proxy netip.Addr, header http.Header) netip.Addr {
	lists := [][]netip.Addr{}
	if values := header[forwardedFor]; values != nil {
		lists = append(lists, addresses(values))
	}
	if values := header[forwarded]; values != nil {
		lists = append(lists, forwardedAddresses(values))
	}
	client := proxy
	for i, list := range lists {
		found := nearest(trusted, proxy, list)
		if i > 0 && found != client {
			// One of the headers is not the proxy's but its client's, and no matter which.
			return proxy
		}
		client = found
	}
	return client
}

// nearest goes back from a proxy to the first address that is no proxy's, or to the last one
// that somebody to be trusted has told.
func nearest(trusted []config.Network, proxy netip.Addr, list []netip.Addr) netip.Addr {
	client := proxy
	for _, address := range slices.Backward(list) {
		if !address.IsValid() {
			break
		}
		client = address
		if !trusts(trusted, address) {
			break
		}
	}
	return client
}

func trusts(trusted []config.Network, address netip.Addr) bool {
	return slices.ContainsFunc(trusted, func(n config.Network) bool { return n.Contains(address) })
}

// plain is an address as it is compared: which interface it was seen on says nothing of it.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }
