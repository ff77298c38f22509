package server

import (
	"net"
	"os"
	"regexp"
	"strings"
)

// containerID matches the host name that Docker gives a container. No other container has the same name, and a
// restarted container keeps it.
var containerID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// processName is a name that no two running servers share: only one process can listen at the address, within
// the container or else within the network namespace.
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
