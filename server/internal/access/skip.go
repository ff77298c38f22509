package access

import (
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// letters are those of names, but for the slash. Drivers take no others in a path.
const letters = "-.0123456789_abcdefghijklmnopqrstuvwxyz"

// beyond is what comes after a text and all names that begin with it.
func beyond(text string) string {
	return text + strings.Repeat("z", max(0, reference.RepositoryNameTotalLengthMax-len(text)))
}

// orders are those in which stores list repositories: a folder is listed with what is below it
// before the next one, and object stores go by the letters of the whole key.
var orders = []func(name string) string{
	func(name string) string { return strings.ReplaceAll(name, "/", "\x00") + "\x00" },
	func(name string) string { return name + "/" },
}

// skip is after which name a list goes on that is at a name now, and of which only names with
// these prefixes are wanted. It stays there wherever the orders have no common answer.
func skip(prefixes []string, at string) string {
	if at == "" && slices.Contains(prefixes, "") {
		return at
	}
	var next []string
	for _, order := range orders {
		next = append(next, following(prefixes, at, order))
	}
	if next[0] != next[1] || next[0] == at {
		return at
	}
	for _, order := range orders {
		if order(next[0]) <= order(at) {
			return at
		}
	}
	return next[0]
}

// following is just before the first names after one that are wanted; where they may be the very
// next ones it is that one.
func following(prefixes []string, at string, order func(string) string) string {
	position, first := order(at), ""
	for _, prefix := range prefixes {
		// Without what order adds to whole names.
		begin := strings.TrimSuffix(order(prefix), order(""))
		switch {
		case at != "" && strings.HasPrefix(position, begin), begin == "":
			return at
		case at != "" && begin < position:
		case first == "" || begin < strings.TrimSuffix(order(first), order("")):
			first = prefix
		}
	}
	if first == "" {
		return beyond("")
	}
	return before(first)
}

// before is a text between the names with a prefix and all that come before them, but for those
// with a slash where the prefix ends with 0, and some where it ends with a hyphen.
func before(prefix string) string {
	prefix = strings.TrimRight(prefix, "/-")
	if prefix == "" {
		return ""
	}
	last := len(prefix) - 1
	at := strings.IndexByte(letters, prefix[last])
	return beyond(prefix[:last] + letters[at-1:at])
}
