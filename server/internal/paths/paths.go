// Package paths knows where a server is asked for what.
package paths

import "strings"

// Base is what the paths of a server with this http.prefix begin with; it ends with a slash.
func Base(prefix string) string {
	if trimmed := strings.Trim(prefix, "/"); trimmed != "" {
		return "/" + trimmed + "/"
	}
	return "/"
}

// API is the same of the registry's API.
func API(prefix string) string { return Base(prefix) + "v2/" }
