package config

import (
	"errors"
	"fmt"
	"path"

	"go.yaml.in/yaml/v3"

	"container-registry/server/internal/schedule"
)

// garbageCollectionRule is the rule for a section that only this server has.
func garbageCollectionRule() *rule {
	texts := func() *rule { return &rule{kind: list, item: &rule{kind: text, required: true, valid: wildcards}} }
	return &rule{kind: section, keys: map[string]*rule{
		"schedule":       {kind: text, valid: cronExpression},
		"timezone":       {kind: text, valid: timeZone},
		"deleteuntagged": {kind: boolean},
		"grace":          {kind: duration},
		"retention": {kind: section, keys: map[string]*rule{
			"dryrun":     {kind: boolean},
			"alwayskeep": texts(),
			"rules": {kind: list, item: &rule{kind: section, keys: map[string]*rule{
				"repositories": texts(),
				"keepnewest":   {kind: integer, minimum: 1},
				"keepdays":     {kind: integer, minimum: 1},
				"keeptags":     texts(),
			}}},
		}},
	}}
}

func cronExpression(value string) error {
	if _, err := schedule.Parse(value, ""); err != nil {
		return fmt.Errorf("must be five fields of cron, such as 0 3 * * *: %w", err)
	}
	return nil
}

func timeZone(value string) error {
	if _, err := schedule.Zone(value); err != nil {
		return errors.New("not a time zone of the IANA database, such as Europe/Berlin")
	}
	return nil
}

func wildcards(value string) error {
	if _, err := path.Match(value, ""); err != nil {
		return errors.New("is not a name with * for any letters")
	}
	return nil
}

// garbageCollection checks how its keys relate to others.
func (c *checker) garbageCollection(root *yaml.Node) {
	const key = "storage.maintenance.garbagecollection"
	maintenance := find(root, "storage", "maintenance")
	given := find(maintenance, "garbagecollection")
	if given == nil {
		return
	}
	if isTrue(find(maintenance, "readonly", "enabled")) {
		c.problems.add(given.Line, key, "needs a registry that may delete; remove it or storage.maintenance.readonly")
	}
	if find(root, "proxy", "remoteurl") != nil {
		c.problems.add(given.Line, key, "is not for a pull-through cache, where proxy.ttl says what goes")
	}
	if zone := find(given, "timezone"); zone != nil && find(given, "schedule") == nil {
		c.problems.add(zone.Line, key+".timezone", "needs "+key+".schedule")
	}
	rules := find(given, "retention", "rules")
	if rules == nil || rules.Kind != yaml.SequenceNode {
		return
	}
	for i, each := range rules.Content {
		if find(each, "keepnewest") == nil && find(each, "keepdays") == nil && isEmpty(find(each, "keeptags")) {
			c.problems.add(each.Line, fmt.Sprintf("%s.retention.rules[%d]", key, i), "keeps nothing; give keepnewest, keepdays or keeptags")
		}
	}
}
