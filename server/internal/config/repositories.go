package config

import (
	"slices"
	"strings"
)

// Covers says whether a list of repositories covers this one: by its name, or by a prefix such
// as team/*. An empty list covers all.
func Covers(list []string, repository string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(each string) bool {
		prefix, isPrefix := strings.CutSuffix(each, "*")
		return each == repository || isPrefix && strings.HasPrefix(repository, prefix)
	})
}
