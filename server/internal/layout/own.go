package layout

import "strings"

// What this server keeps beside the engine's folder. No registry looks into it.
const (
	Changes     = "/container-registry-changes"
	Collections = "/container-registry-collection"
	Events      = "/container-registry-events"
	History     = "/container-registry-history"
	Sessions    = "/container-registry-sessions"
	Transfers   = "/container-registry-transfer"
	// Checks is how the names of folders begin in which a store is tried.
	Checks = "/container-registry-check-"
)

// IsOwn says whether a name at the top of a store is of such a folder.
func IsOwn(name string) bool {
	switch path := "/" + name; path {
	case Changes, Collections, Events, History, Sessions, Transfers:
		return true
	default:
		return strings.HasPrefix(path, Checks)
	}
}
