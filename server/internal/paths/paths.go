// Package paths knows the paths of a server.
package paths

import "strings"

// Base is what the paths of a server with this http.prefix begin with; it ends with a slash.
func Base(prefix string) string {
	if trimmed := strings.Trim(prefix, "/"); trimmed != "" {
		return "/" + trimmed + "/"
	}
	return "/"
}

// API is what the paths of the registry's API begin with.
func API(prefix string) string { return Base(prefix) + "v2/" }
