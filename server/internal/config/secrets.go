package config

import (
	"fmt"

	"github.com/distribution/distribution/v3/configuration"
)

// Secrets returns the values of the storage driver's parameters that must not be shown,
// for code that shows errors of drivers.
func Secrets(c *configuration.Configuration) []string {
	var values []string
	rules := drivers[c.Storage.Type()]
	for name, value := range c.Storage.Parameters() {
		values = append(values, secretsIn(rules[name], value)...)
	}
	return values
}

func secretsIn(r *rule, value any) []string {
	if r == nil {
		return nil
	}
	switch r.kind {
	case section, table:
		var values []string
		fields, _ := value.(map[any]any)
		for name, field := range fields {
			child := r.item
			if r.kind == section {
				child = r.keys[fmt.Sprint(name)]
			}
			values = append(values, secretsIn(child, field)...)
		}
		return values
	default:
		if !r.secret {
			return nil
		}
		return []string{fmt.Sprint(value)}
	}
}
