// Package retention has the rules by which tags are kept, and finds the tags that are to go.
package retention

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"container-registry/server/internal/config"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/tagorder"
)

// Policy says which tags are kept.
type Policy struct {
	// DryRun only logs what the rules would delete.
	DryRun bool   `yaml:"dryrun"`
	Rules  []Rule `yaml:"rules"`
	// AlwaysKeep are tags that no rule deletes: names, in which * stands for any letters.
	AlwaysKeep []string `yaml:"alwayskeep"`
}

// Rule keeps a tag for any of its reasons. The first rule that names a repository counts.
type Rule struct {
	// Repositories are names, or prefixes such as team/*. An empty list means all.
	Repositories []string `yaml:"repositories"`
	KeepNewest   int      `yaml:"keepnewest"`
	KeepDays     int      `yaml:"keepdays"`
	KeepTags     []string `yaml:"keeptags"`
}

func (r Rule) String() string {
	var reasons []string
	if r.KeepNewest > 0 {
		reasons = append(reasons, fmt.Sprintf("newest %d", r.KeepNewest))
	}
	if r.KeepDays > 0 {
		reasons = append(reasons, fmt.Sprintf("pushed in %d days", r.KeepDays))
	}
	if len(r.KeepTags) > 0 {
		reasons = append(reasons, "tags "+strings.Join(r.KeepTags, " "))
	}
	return "keep " + strings.Join(reasons, ", ")
}

// Until is when the age of a tag no longer keeps it; zero if age does not matter.
func (r Rule) Until(pushed time.Time) time.Time {
	if r.KeepDays == 0 {
		return time.Time{}
	}
	return pushed.Add(time.Duration(r.KeepDays) * 24 * time.Hour)
}

// Leaving is a tag that the rules keep only until a time, if nothing is pushed in the meantime.
type Leaving struct {
	Name string
	// Until is zero for a tag that no rule keeps at any age.
	Until time.Time
}

// RuleFor is the rule that counts for a repository, and its name for logs.
func (p Policy) RuleFor(repository string) (rule Rule, name string, ok bool) {
	for i, rule := range p.Rules {
		if config.Covers(rule.Repositories, repository) {
			return rule, fmt.Sprintf("rule %d (%s)", i+1, rule), true
		}
	}
	return Rule{}, "", false
}

// Covers says whether there is a rule for a repository and it is not a dry run.
func (p Policy) Covers(repository string) bool {
	_, _, ok := p.RuleFor(repository)
	return ok && !p.DryRun
}

// KeptByName returns a function that says whether the rules keep a tag of a repository for its name.
func (p Policy) KeptByName(repository string) func(tag string) bool {
	rule, _, _ := p.RuleFor(repository)
	patterns := slices.Concat(rule.KeepTags, p.AlwaysKeep)
	return func(tag string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			// Tags can't contain the other characters that have a meaning in a pattern.
			ok, err := path.Match(pattern, tag)
			return err == nil && ok
		})
	}
}

// Leave returns the tags of a repository that the rules do not keep forever, the newest first, and the name of
// the rule. It is given when each tag was last pushed. Of tags pushed at the same time, the highest version
// is the newest.
func (p Policy) Leave(repository string, pushed map[string]time.Time) (list []Leaving, name string) {
	rule, name, ok := p.RuleFor(repository)
	if !ok || rule.KeepNewest == 0 && rule.KeepDays == 0 && len(rule.KeepTags) == 0 {
		// A rule without a reason to keep any tag would delete all, which nobody intends.
		return nil, ""
	}
	type tag struct {
		name   string
		pushed time.Time
	}
	byAge := make([]tag, 0, len(pushed))
	for name, at := range pushed {
		if !layout.IsCompanion(name) {
			byAge = append(byAge, tag{name, at})
		}
	}
	slices.SortFunc(byAge, func(a, b tag) int {
		return cmp.Or(b.pushed.Compare(a.pushed), tagorder.Compare(a.name, b.name))
	})
	kept := p.KeptByName(repository)
	for i, tag := range byAge {
		if i < rule.KeepNewest || kept(tag.name) {
			continue
		}
		list = append(list, Leaving{tag.name, rule.Until(tag.pushed)})
	}
	return list, name
}

// Retire returns the tags of a repository that the rules no longer keep, and the name of the rule.
func (p Policy) Retire(repository string, pushed map[string]time.Time, now time.Time) (names []string, rule string) {
	list, rule := p.Leave(repository, pushed)
	for _, each := range list {
		if !each.Until.After(now) {
			names = append(names, each.Name)
		}
	}
	return names, rule
}
