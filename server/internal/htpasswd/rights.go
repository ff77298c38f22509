package htpasswd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rights say which repositories someone may pull from and push to.
type Rights struct {
	grants []grant
}

type grant struct {
	push     bool
	patterns []*regexp.Regexp
	// prefixes are what names begin with that match them.
	prefixes []string
	// everywhere is set when one of the patterns is "*".
	everywhere bool
}

// FullRights are those of a user without an #!access line, and of everybody where there are
// no users.
var FullRights = Rights{[]grant{{push: true, everywhere: true}}}

// Pull tells whether the repository may be read.
func (r Rights) Pull(repository string) bool { return r.allow(repository, false) }

// Push tells whether the repository may be changed; deleting is a change.
func (r Rights) Push(repository string) bool { return r.allow(repository, true) }

// PullEverything is true when no repository is out of sight.
func (r Rights) PullEverything() bool {
	for _, g := range r.grants {
		if g.everywhere {
			return true
		}
	}
	return false
}

// PushEverything is true when every repository may be changed.
func (r Rights) PushEverything() bool {
	return slices.ContainsFunc(r.grants, func(g grant) bool { return g.push && g.everywhere })
}

// PullPrefixes are what the names of all repositories begin with that may be read, where that
// is not everything.
func (r Rights) PullPrefixes() []string {
	var all []string
	for _, g := range r.grants {
		all = append(all, g.prefixes...)
	}
	return all
}

func (r Rights) allow(repository string, push bool) bool {
	for _, g := range r.grants {
		if (g.push || !push) && g.match(repository) {
			return true
		}
	}
	return false
}

func (g grant) match(repository string) bool {
	if g.everywhere {
		return true
	}
	for _, pattern := range g.patterns {
		if pattern.MatchString(repository) {
			return true
		}
	}
	return false
}

// patternForm is the alphabet of repository names and the star.
var patternForm = regexp.MustCompile(`^[a-z0-9*][a-z0-9._/*-]*$`)

// newGrant reads patterns of repository names; none at all means every repository.
//
// A star stands for any run of characters but slashes; as the last character of a
// pattern, for slashes as well. So "team-a/*" is everything below team-a at any
// depth and not team-a itself, "*/base" is the base of every team, "*" is everything.
func newGrant(push bool, patterns []string) (grant, error) {
	g := grant{push: push, everywhere: len(patterns) == 0}
	for _, pattern := range patterns {
		if pattern == "*" {
			g.everywhere = true
			continue
		}
		if !patternForm.MatchString(pattern) {
			return grant{}, fmt.Errorf("%q is not a pattern of repository names such as team-a/*", pattern)
		}
		body, deep := strings.CutSuffix(pattern, "*")
		expression := strings.ReplaceAll(regexp.QuoteMeta(body), `\*`, `[^/]*`)
		if deep {
			expression += ".*"
		}
		g.patterns = append(g.patterns, regexp.MustCompile("^"+expression+"$"))
		prefix, _, _ := strings.Cut(pattern, "*")
		g.prefixes = append(g.prefixes, prefix)
	}
	return g, nil
}
