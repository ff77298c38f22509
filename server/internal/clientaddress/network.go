package clientaddress

import "net/netip"

// Network is what limits count as one client, by its TCP peer, the only thing about it that it cannot
// make up. Of IPv6 it is the /64, as that is what one customer gets.
func Network(remote string) netip.Prefix {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		// A Unix socket: all of its clients count as one.
		return netip.Prefix{}
	}
	address, bits := peer.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}
