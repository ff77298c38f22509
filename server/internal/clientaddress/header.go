package clientaddress

import (
	"net/netip"
	"strings"
)

// addresses are those of an X-Forwarded-For, the proxies' last. What is none is not valid.
func addresses(values []string) []netip.Addr {
	var found []netip.Addr
	for _, each := range strings.Split(strings.Join(values, ","), ",") {
		found = append(found, address(strings.TrimSpace(each)))
	}
	return found
}

// address reads one with or without a port, and with the brackets of IPv6 or without.
func address(text string) netip.Addr {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return plain(withPort.Addr())
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if text, ok = strings.CutSuffix(inner, "]"); !ok {
			return netip.Addr{}
		}
	}
	parsed, _ := netip.ParseAddr(text)
	return plain(parsed)
}

// forwardedAddresses are those of a Forwarded by RFC 7239. Of one that can't be read there are
// none: a client could have hidden in its part what a proxy added.
func forwardedAddresses(values []string) []netip.Addr {
	var found []netip.Addr
	rest := strings.Join(values, ",")
	for element := (netip.Addr{}); ; {
		name, value, after, ok := parameter(rest)
		if !ok {
			return nil
		}
		if strings.EqualFold(name, "for") {
			element = address(value)
		}
		switch {
		case after == "":
			return append(found, element)
		case after[0] == ',':
			found, element = append(found, element), netip.Addr{}
		case after[0] != ';':
			return nil
		}
		rest = after[1:]
	}
}

// parameter is the first of a Forwarded, with what comes after it.
func parameter(text string) (name, value, after string, ok bool) {
	const space = " \t"
	name, value, ok = strings.Cut(strings.TrimLeft(text, space), "=")
	if !ok || strings.ContainsAny(name, ` ,;"`) {
		return "", "", "", false
	}
	if quoted, isQuoted := strings.CutPrefix(value, `"`); isQuoted {
		// No address has a character that is escaped.
		value, after, ok = strings.Cut(quoted, `"`)
		return name, value, strings.TrimLeft(after, space), ok && !strings.Contains(value, `\`)
	}
	end := strings.IndexAny(value, `,;"`)
	if end < 0 {
		end = len(value)
	}
	return name, strings.TrimRight(value[:end], space), value[end:], true
}
