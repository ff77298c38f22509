package config

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

// ignoredVariable is set by the engine's own images. It names a file, holds no
// setting, and is unused here because the file is an argument.
const ignoredVariable = "REGISTRY_CONFIGURATION_PATH"

// checkEnvironment refuses the variables with which the engine would override the
// file: everyone who may run `docker inspect` can read them, and they would get
// past the check of the file.
func checkEnvironment(environment []string) error {
	var names []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "REGISTRY_") && name != ignoredVariable {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		// The engine's parser would warn about it on every start.
		return os.Unsetenv(ignoredVariable)
	}
	sort.Strings(names)
	return fmt.Errorf("environment: %s: not allowed; every setting belongs in the configuration file", strings.Join(names, ", "))
}
