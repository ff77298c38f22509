package attempts

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"container-registry/server/internal/clientaddress"
)

func TestLimit(t *testing.T) {
	start := time.Now()
	here, there := clientaddress.Network("192.0.2.1:1"), clientaddress.Network("192.0.2.2:1")
	l := New(3, time.Minute)
	at := func(offset time.Duration, address netip.Prefix, want time.Duration) {
		t.Helper()
		if got := l.Refused(address, "admin", start.Add(offset)); got != want {
			t.Errorf("after %s: wait %s, want %s", offset, got, want)
		}
	}
	l.Fail(here, "admin", start)
	l.Fail(here, "admin", start.Add(10*time.Second))
	at(10*time.Second, here, 0)
	l.Fail(here, "admin", start.Add(20*time.Second))
	at(20*time.Second, here, 40*time.Second)
	at(20*time.Second, there, 0)
	at(59*time.Second, here, time.Second)
	at(60*time.Second, here, 0)
	// A new window starts with the next failure.
	l.Fail(here, "admin", start.Add(90*time.Second))
	at(90*time.Second, here, 0)
	l.Fail(here, "admin", start.Add(91*time.Second))
	l.Fail(here, "admin", start.Add(92*time.Second))
	at(92*time.Second, here, 58*time.Second)
}

// TestNames has clients behind one address.
func TestNames(t *testing.T) {
	now, here := time.Now(), clientaddress.Network("192.0.2.1:1")
	l := New(3, time.Minute)
	for range 3 {
		l.Fail(here, "old", now)
	}
	if l.Refused(here, "old", now) == 0 {
		t.Error("a name that failed three times is not refused")
	}
	for _, name := range []string{"other", "", "no user"} {
		if l.Refused(here, name, now) > 0 {
			t.Errorf("%q is refused for another name", name)
		}
	}
	for i := range 3*names - 3 {
		l.Fail(here, string(rune('a'+i)), now)
	}
	if l.Refused(here, "other", now) == 0 {
		t.Error("an address has no end of names")
	}
	if l.Refused(clientaddress.Network("192.0.2.2:1"), "old", now) > 0 {
		t.Error("another address is refused")
	}
}

func TestOff(t *testing.T) {
	l := New(0, time.Minute)
	for range 100 {
		l.Fail(clientaddress.Network("192.0.2.1:1"), "admin", time.Now())
	}
	if l.Refused(clientaddress.Network("192.0.2.1:1"), "admin", time.Now()) != 0 || l.entries.Len() != 0 {
		t.Error("a limit of 0 refuses")
	}
}

func TestBounded(t *testing.T) {
	l, now := New(1, time.Hour), time.Now()
	address := func(i int) netip.Prefix {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(i))
		return netip.PrefixFrom(netip.AddrFrom4(b), 32)
	}
	for i := range 2 * most {
		l.Fail(address(i), "admin", now)
	}
	if l.entries.Len() != most {
		t.Errorf("%d addresses are remembered, want %d", l.entries.Len(), most)
	}
	if l.Refused(address(2*most-1), "admin", now) == 0 || l.Refused(address(0), "admin", now) != 0 {
		t.Error("the wrong addresses were forgotten")
	}
}
