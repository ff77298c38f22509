package server

import (
	"net"
	"os"
	"regexp"
	"strings"
)

// containerID is the host name that Docker gives to a container, its own and unlike any
// other; a restarted container keeps it.
var containerID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// processName is a name that no two living servers have: nobody else listens at the
// address, in the container or else in the network namespace.
func processName(address net.Addr) string {
	host, _ := os.Hostname()
	name := host + " " + address.String()
	if containerID.MatchString(host) {
		return name
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	namespace, _ := os.Readlink("/proc/self/ns/net")
	return strings.Join([]string{name, strings.TrimSpace(string(boot)), namespace}, " ")
}
