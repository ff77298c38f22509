package config

import (
	"net/http"
	"reflect"
	"strings"
	"time"

	"github.com/distribution/distribution/v3/configuration"
)

type kind int

const (
	text kind = iota
	literal
	boolean
	integer
	duration
	section
	list
	table
)

// rule says what is allowed at one place in the file.
type rule struct {
	kind     kind
	required bool
	// secret values are never repeated in an error.
	secret bool
	// refused is the reason why the key may not be given at all.
	refused string
	// allowed are the only texts accepted; empty accepts any.
	allowed []string
	minimum int
	// valid checks what the kind does not, and for a table its keys; its error continues the sentence after the value.
	valid func(value string) error
	// keys are the keys of a section.
	keys map[string]*rule
	// item is the rule for the items of a list, or for the values of a table's free keys.
	item *rule
}

// secretKeys are the names under which the engine's own sections hold secrets.
var secretKeys = map[string]bool{
	"secret":           true,
	"password":         true,
	"sentinelpassword": true,
}

// enumerations are the engine's string types that accept only a few words.
var enumerations = map[reflect.Type][]string{
	reflect.TypeFor[configuration.Loglevel]():  {"error", "warn", "info", "debug"},
	reflect.TypeFor[configuration.Platforms](): {"all", "none", "list"},
	reflect.TypeFor[configuration.ClientAuth](): {
		configuration.ClientAuthRequestClientCert,
		configuration.ClientAuthRequireAnyClientCert,
		configuration.ClientAuthVerifyClientCertIfGiven,
		configuration.ClientAuthRequireAndVerifyClientCert,
	},
}

// fromEngine derives the rules from the engine's own types, so that a new version
// of the engine brings its new keys along.
func fromEngine(t reflect.Type) *rule {
	if allowed, ok := enumerations[t]; ok {
		return &rule{kind: text, allowed: allowed}
	}
	switch t {
	case reflect.TypeFor[configuration.Version]():
		return &rule{kind: literal, required: true, allowed: []string{string(configuration.CurrentVersion)}}
	case reflect.TypeFor[time.Duration]():
		return &rule{kind: duration}
	case reflect.TypeFor[http.Header]():
		return &rule{kind: table, item: &rule{kind: list, item: &rule{kind: text}}}
	case reflect.TypeFor[configuration.Storage]():
		return storageRule()
	case reflect.TypeFor[configuration.Auth]():
		return authRule()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return fromEngine(t.Elem())
	case reflect.String:
		return &rule{kind: text}
	case reflect.Bool:
		return &rule{kind: boolean}
	case reflect.Int:
		return &rule{kind: integer}
	case reflect.Slice:
		return &rule{kind: list, item: fromEngine(t.Elem())}
	case reflect.Map:
		return &rule{kind: table, item: &rule{kind: text}}
	case reflect.Struct:
		r := &rule{kind: section, keys: map[string]*rule{}}
		addFields(r, t)
		return r
	}
	panic("config: no rule for the engine's type " + t.String())
}

func addFields(r *rule, t reflect.Type) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" {
			addFields(r, field.Type)
			continue
		}
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		r.keys[name] = fromEngine(field.Type)
		r.keys[name].secret = secretKeys[name]
	}
}

// at finds the rule of a path such as "health.http[].uri".
func (r *rule) at(path string) *rule {
	for _, name := range strings.Split(path, ".") {
		name, isList := strings.CutSuffix(name, "[]")
		r = r.keys[name]
		if r == nil {
			panic("config: the engine has no key " + path)
		}
		if isList {
			r = r.item
		}
	}
	return r
}
