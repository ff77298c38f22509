package healthcheck

import (
	"net"
	"net/http"
	"sync/atomic"
)

const (
	userAgent = "registry-healthcheck"
	// checkedBefore is a header in the server's answer to each check but the first.
	checkedBefore = "Registry-Checked"
)

// Checked remembers whether its server was checked. A check itself can't, because each is a new process.
type Checked struct{ once atomic.Bool }

// Tell says in the answer to a check whether there was an earlier one. Only checks from the same
// container count: others could delay the moment at which the container is healthy.
func (c *Checked) Tell(w http.ResponseWriter, r *http.Request) {
	if r.UserAgent() == userAgent && isInside(r) && c.once.Swap(true) {
		w.Header().Set(checkedBefore, "yes")
	}
}

func isInside(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	// A Unix socket's peer has no address.
	return err != nil || net.ParseIP(host).IsLoopback()
}
