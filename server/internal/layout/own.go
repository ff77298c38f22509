package layout

import "strings"

// The folders that this server keeps beside the engine's. No registry looks into them.
const (
	Changes     = "/container-registry-changes"
	Collections = "/container-registry-collection"
	Events      = "/container-registry-events"
	History     = "/container-registry-history"
	Sessions    = "/container-registry-sessions"
	Transfers   = "/container-registry-transfer"
	// Checks is the prefix of the folders in which a store is tested.
	Checks = "/container-registry-check-"
)

// IsOwn says whether a name at the top of a store is that of such a folder.
func IsOwn(name string) bool {
	switch path := "/" + name; path {
	case Changes, Collections, Events, History, Sessions, Transfers:
		return true
	default:
		return strings.HasPrefix(path, Checks)
	}
}
