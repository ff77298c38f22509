package config

import (
	"errors"
	"net/netip"
)

// Network is an address or a range of addresses, such as 10.0.0.0/8.
type Network struct{ netip.Prefix }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *Network) UnmarshalText(text []byte) error {
	address, err := netip.ParseAddr(string(text))
	if err == nil {
		n.Prefix, err = address.Unmap().Prefix(address.Unmap().BitLen())
	} else {
		n.Prefix, err = netip.ParsePrefix(string(text))
	}
	switch {
	case err != nil, address.Zone() != "", n.Addr().Is4In6():
		return errors.New("is not an IP address, or a range of them such as 10.0.0.0/8")
	case n.Bits() == 0:
		return errors.New("stands for every address there is; name those of the proxies")
	}
	return nil
}

func network(value string) error { return new(Network).UnmarshalText([]byte(value)) }
