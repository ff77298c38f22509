package garbage

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/config"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/tagorder"
)

// Retention says which tags are kept.
type Retention struct {
	// DryRun only logs what the rules would delete.
	DryRun bool   `yaml:"dryrun"`
	Rules  []Rule `yaml:"rules"`
	// AlwaysKeep are tags that no rule deletes: names, with * for any letters.
	AlwaysKeep []string `yaml:"alwayskeep"`
}

// Rule keeps a tag for any of its reasons. The first rule that names a repository counts.
type Rule struct {
	// Repositories are names, or prefixes such as team/*; none are all.
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

// until is when the age of a tag no longer keeps it; zero where age does not matter.
func (r Rule) until(pushed time.Time) time.Time {
	if r.KeepDays == 0 {
		return time.Time{}
	}
	return pushed.Add(time.Duration(r.KeepDays) * 24 * time.Hour)
}

// aged is a tag and when it was pushed last.
type aged struct {
	name   string
	pushed time.Time
}

// leaving is a tag that the rules keep until a time only, if nothing is pushed meanwhile.
type leaving struct {
	name string
	// until is zero for a tag that no rule keeps at any age.
	until time.Time
}

// retire is the tags of a repository that the rules do not keep, and the number of the
// rule, from 1.
func (r Retention) retire(repository string, tags []aged, now time.Time) (names []string, number int) {
	list, number := r.leave(repository, tags)
	for _, each := range list {
		if !each.until.After(now) {
			names = append(names, each.name)
		}
	}
	return names, number
}

// rule is the place of the rule for a repository; below 0 without one.
func (r Retention) rule(repository string) int {
	return slices.IndexFunc(r.Rules, func(rule Rule) bool { return config.Covers(rule.Repositories, repository) })
}

// covers says whether there is a rule for a repository, and none that only tries.
func (r Retention) covers(repository string) bool { return !r.DryRun && r.rule(repository) >= 0 }

// kept are the patterns of tags that the rules keep by their names.
func (r Retention) kept(repository string) []string {
	if number := r.rule(repository); number >= 0 {
		return slices.Concat(r.Rules[number].KeepTags, r.AlwaysKeep)
	}
	return r.AlwaysKeep
}

// leave is the tags of a repository that the rules do not keep for ever, the newest first, and
// the number of the rule, from 1. Of those pushed at the same time the highest version is the newest.
func (r Retention) leave(repository string, tags []aged) (list []leaving, number int) {
	number = r.rule(repository)
	if number < 0 {
		return nil, 0
	}
	rule := r.Rules[number]
	if rule.KeepNewest == 0 && rule.KeepDays == 0 && len(rule.KeepTags) == 0 {
		// It would delete all, which nobody means.
		return nil, 0
	}
	byAge := slices.DeleteFunc(slices.Clone(tags), func(t aged) bool { return layout.IsCompanion(t.name) })
	slices.SortFunc(byAge, func(a, b aged) int {
		return cmp.Or(b.pushed.Compare(a.pushed), tagorder.Compare(a.name, b.name))
	})
	kept := r.kept(repository)
	for i, tag := range byAge {
		if i < rule.KeepNewest || matchesAny(kept, tag.name) {
			continue
		}
		list = append(list, leaving{tag.name, rule.until(tag.pushed)})
	}
	return list, number + 1
}

// Leaving is the tags of a repository that the rules do not keep for ever, by when they were
// pushed: until when they are kept, zero for those that are not, and the rule.
func (r Retention) Leaving(repository string, pushed map[string]time.Time) (until map[string]time.Time, rule string) {
	tags := make([]aged, 0, len(pushed))
	for name, at := range pushed {
		tags = append(tags, aged{name, at})
	}
	list, number := r.leave(repository, tags)
	until = make(map[string]time.Time, len(list))
	for _, each := range list {
		until[each.name] = each.until
	}
	return until, ruleName(r, number)
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		// Tags have none of the other letters that mean something in a pattern.
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}

// subjectOf is the digest of the manifest that a tag is about; empty for other tags, and
// where only a part of the digest is known, of no manifest that is here. A tag is not about
// what it names: imgpkg gives each image one of the image's own digest, to keep it.
func (r *repository) subjectOf(tag string) (subject digest.Digest) {
	algorithm, encoded, ok := layout.Companion(tag)
	switch {
	case !ok:
	case algorithm == digest.Canonical:
		subject = digest.NewDigestFromEncoded(digest.Canonical, encoded)
	default:
		subject = r.longer[algorithm.String()+"-"+encoded]
	}
	if subject == r.tags[tag].current {
		return ""
	}
	return subject
}

// isOwn says whether a tag says no more than the digest of what it names. cosign copy gives such a one
// to all it brings, beside the tag that it was asked for.
func (r *repository) isOwn(tag string) bool {
	current := r.tags[tag].current
	return current != "" && tag == layout.ReferrersTag(current)
}

// ruleName is for logs.
func ruleName(r Retention, number int) string {
	if number == 0 {
		return ""
	}
	return fmt.Sprintf("rule %d (%s)", number, r.Rules[number-1])
}
