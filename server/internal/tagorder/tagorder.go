// Package tagorder decides by their names which of two tags comes first.
package tagorder

import (
	"cmp"
	"strings"

	"container-registry/server/internal/layout"
)

// Compare puts latest first, then the highest version, then other names, and tags for programs
// last.
func Compare(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), -natural(number(a), number(b)), -strings.Compare(a, b))
}

// number is a version without the letter before it.
func number(name string) string {
	if without, ok := strings.CutPrefix(name, "v"); ok && digits(without) > 0 {
		return without
	}
	return name
}

func rank(name string) int {
	switch {
	case name == "latest":
		return 0
	case layout.IsCompanion(name):
		return 3
	case digits(number(name)) > 0:
		return 1
	default:
		return 2
	}
}

// natural compares numbers in names as numbers, and puts a name that continues with a hyphen, such as a
// release candidate, before the release.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x == 0 || y == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		m, n := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n), cmp.Compare(x, y)); c != 0 {
			return c
		}
		a, b = a[x:], b[y:]
	}
	switch {
	case strings.HasPrefix(a, "-"):
		return -1
	case strings.HasPrefix(b, "-"):
		return 1
	}
	return cmp.Compare(len(a), len(b))
}

// digits counts the digits at the beginning.
func digits(text string) int {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return i
		}
	}
	return len(text)
}
