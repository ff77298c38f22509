package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	enginesyaml "go.yaml.in/yaml/v2"
	"go.yaml.in/yaml/v3"
)

// check compares the content with the rules. Positions come from a YAML library
// that keeps them; the meaning of a plain word comes from the one the engine uses.
func check(file string, content []byte) error {
	root, err := parse(content)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	c := &checker{problems: problems{file: file}}
	c.node("", root, fileRule())
	c.relations(root)
	if len(c.problems.list) > 0 {
		return &c.problems
	}
	return nil
}

func parse(content []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		if strings.Contains(err.Error(), "anchor") {
			// The library would repeat the name, which may be a password that begins with *.
			return nil, errors.New("a value begins with *; put it in quotes")
		}
		return nil, err
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file holds more than one YAML document")
	}
	return document.Content[0], nil
}

type checker struct {
	problems problems
}

func (c *checker) node(path string, n *yaml.Node, r *rule) {
	switch {
	case r.refused != "":
		c.problems.add(n.Line, path, "%s", r.refused)
	case n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0:
		c.problems.add(n.Line, path, "YAML anchors, aliases and tags are not allowed")
	case r.kind == section:
		c.section(path, n, r)
	case r.kind == table:
		c.table(path, n, r)
	case r.kind == list:
		c.list(path, n, r)
	case n.Kind != yaml.ScalarNode:
		c.problems.add(n.Line, path, "must be %s, not %s", r.kind, shape(n))
	default:
		c.scalar(path, n, r)
	}
}

func (c *checker) section(path string, n *yaml.Node, r *rule) {
	entries, ok := c.entries(path, n)
	if !ok {
		return
	}
	given := map[string]bool{}
	for _, e := range entries {
		given[e.name] = true
		child, known := r.keys[e.name]
		if !known {
			c.problems.add(e.line, join(path, e.name), "unknown key; %s", hint(e.name, r.keys))
			continue
		}
		c.node(join(path, e.name), e.value, child)
	}
	for _, name := range sortedKeys(r.keys) {
		if r.keys[name].required && !given[name] {
			c.problems.add(n.Line, join(path, name), "missing")
		}
	}
}

func (c *checker) table(path string, n *yaml.Node, r *rule) {
	entries, _ := c.entries(path, n)
	for _, e := range entries {
		if r.valid != nil {
			if err := r.valid(e.name); err != nil {
				c.problems.add(e.line, join(path, e.name), "%v", err)
			}
		}
		c.node(join(path, e.name), e.value, r.item)
	}
}

func (c *checker) list(path string, n *yaml.Node, r *rule) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		c.problems.add(n.Line, path, "must be a list, not %s", shape(n))
		return
	}
	for i, item := range n.Content {
		c.node(fmt.Sprintf("%s[%d]", path, i), item, r.item)
	}
}

type entry struct {
	name  string
	line  int
	value *yaml.Node
}

// entries returns the keys of a mapping. An empty value counts as an empty mapping,
// as it does for the engine.
func (c *checker) entries(path string, n *yaml.Node) ([]entry, bool) {
	if isNull(n) {
		return nil, true
	}
	if n.Kind != yaml.MappingNode {
		c.problems.add(n.Line, display(path), "must be a section, not %s", shape(n))
		return nil, false
	}
	seen := map[string]int{}
	var entries []entry
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, ok := seen[key.Value]; ok {
			c.problems.add(key.Line, join(path, key.Value), "given twice; first on line %d", first)
			continue
		}
		seen[key.Value] = key.Line
		entries = append(entries, entry{key.Value, key.Line, n.Content[i+1]})
	}
	return entries, true
}

func (c *checker) scalar(path string, n *yaml.Node, r *rule) {
	bad := func(format string, args ...any) {
		message := fmt.Sprintf(format, args...)
		if !r.secret {
			message = fmt.Sprintf("%s: %s", quote(n.Value), message)
		}
		c.problems.add(n.Line, path, "%s", message)
	}
	value := meaning(n)
	if value == nil {
		c.problems.add(n.Line, path, "has no value; it must be %s", r.kind)
		return
	}
	switch r.kind {
	case text:
		if _, ok := value.(string); !ok {
			bad("YAML reads this as %s; it must be text, put it in quotes", typeName(value))
			return
		}
		if r.required && n.Value == "" {
			bad("must not be empty")
			return
		}
	case boolean:
		if _, ok := value.(bool); !ok {
			bad("must be true or false")
			return
		}
	case integer:
		number, ok := value.(int)
		if !ok || number < r.minimum {
			bad("must be a whole number of %d or more", r.minimum)
			return
		}
	case duration:
		d, err := time.ParseDuration(n.Value)
		if _, ok := value.(string); (!ok || err != nil || d < 0) && n.Value != "0" {
			bad("must be a duration with a unit, such as 30s, 5m or 24h")
			return
		}
	}
	if len(r.allowed) > 0 && !contains(r.allowed, n.Value) {
		bad("not allowed; allowed: %s", strings.Join(r.allowed, ", "))
		return
	}
	if r.valid != nil {
		if err := r.valid(n.Value); err != nil {
			bad("%v", err)
		}
	}
}

// meaning is what the engine's YAML library makes of a word if it has no type
// to go by, as in the parameters of a storage driver.
func meaning(n *yaml.Node) any {
	if n.Style != 0 {
		return n.Value
	}
	var value any
	if err := enginesyaml.Unmarshal([]byte(n.Value), &value); err != nil {
		return n.Value
	}
	return value
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && meaning(n) == nil
}

func (k kind) String() string {
	return map[kind]string{
		text: "text", literal: "a plain value", boolean: "true or false", integer: "a whole number",
		duration: "a duration", section: "a section", list: "a list", table: "a section",
	}[k]
}

func shape(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a section"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

func typeName(value any) string {
	switch value.(type) {
	case bool:
		return "true or false"
	case int, int64, uint64, float64:
		return "a number"
	default:
		return fmt.Sprintf("%T", value)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func display(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

// quote keeps an error readable when the value is long, and drops the user and
// password of a URL.
func quote(value string) string {
	const most = 80
	if at := strings.LastIndex(value, "@"); at >= 0 {
		value = "…" + value[at:]
	}
	if len(value) > most {
		return strconv.Quote(value[:most]) + "…"
	}
	return strconv.Quote(value)
}

func sortedKeys(keys map[string]*rule) []string {
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func contains(list []string, value string) bool {
	for _, one := range list {
		if one == value {
			return true
		}
	}
	return false
}
