// Package version is the one place that says which version this server is.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Version is the version of the bundled server and of its image.
const Version = "0.1.0"

const engine = "github.com/distribution/distribution/v3"

// Report names the versions of this server, its engine and Go, a line each.
func Report() string {
	return fmt.Sprintf("container-registry %s\ndistribution %s\n%s\n", Version, Engine(), runtime.Version())
}

// Engine is the version of the engine.
func Engine() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == engine {
				return module.Version
			}
		}
	}
	return "unknown"
}
