// Package options reads the options of a storage driver into a struct. Package config also checks the
// configuration file by the struct's fields and their tags:
//
//	ChunkSize int64 `yaml:"chunksize" option:"required least=1024 most=4096"`
//
// The tag option has the words of an [Option].
package options

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Option describes an option, as a field of a driver's struct declares it. Its type is a string, a number,
// a boolean, a list or a table of strings, or a pointer to one of these, which tells whether it was given.
type Option struct {
	Name     string
	Type     reflect.Type
	Required bool
	Secret   bool
	// Least and Most bound a number.
	Least, Most int64
	// Allowed lists the only strings that are allowed. If it is empty, any string is.
	Allowed []string
}

// Of lists the options of a struct.
func Of(t reflect.Type) []Option {
	list := make([]Option, t.NumField())
	for i := range list {
		field := t.Field(i)
		option := Option{Name: field.Tag.Get("yaml"), Type: field.Type, Most: math.MaxInt64}
		if option.Type.Kind() == reflect.Pointer {
			option.Type = option.Type.Elem()
		}
		for _, word := range strings.Fields(field.Tag.Get("option")) {
			option.read(word)
		}
		list[i] = option
	}
	return list
}

func (o *Option) read(word string) {
	name, value, _ := strings.Cut(word, "=")
	number, err := strconv.ParseInt(value, 10, 64)
	switch {
	case word == "required":
		o.Required = true
	case word == "secret":
		o.Secret = true
	case name == "allowed":
		o.Allowed = strings.Split(value, "|")
	case name == "least" && err == nil:
		o.Least = number
	case name == "most" && err == nil:
		o.Most = number
	default:
		panic("options: no meaning for " + word + " of " + o.Name)
	}
}

// Problems collects everything that is wrong with the options of a driver. It names options but never
// repeats values: some are secret.
type Problems struct {
	driver string
	list   []error
}

// Add records what is wrong with an option.
func (p *Problems) Add(name, format string, args ...any) {
	p.list = append(p.list, fmt.Errorf("storage.%s: %s %s", p.driver, name, fmt.Sprintf(format, args...)))
}

// Err joins all problems. It is nil if there are none.
func (p *Problems) Err() error { return errors.Join(p.list...) }

// Read sets the fields of a struct, which already has the defaults, from options as YAML gives them. An
// option without a value counts as absent.
func Read(driver string, raw map[string]any, into any) *Problems {
	problems := &Problems{driver: driver}
	target := reflect.ValueOf(into).Elem()
	known := map[string]bool{}
	for i, option := range Of(target.Type()) {
		known[option.Name] = true
		given := raw[option.Name]
		if text, isText := given.(string); option.Required && (given == nil || isText && strings.TrimSpace(text) == "") {
			problems.Add(option.Name, "is required")
			continue
		}
		if given == nil {
			continue
		}
		value := reflect.New(option.Type).Elem()
		if err := option.set(value, given); err != nil {
			problems.Add(option.Name, "%v", err)
		} else if field := target.Field(i); field.Kind() == reflect.Pointer {
			field.Set(value.Addr())
		} else {
			field.Set(value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if !known[name] {
			problems.Add(name, "is not an option of this driver")
		}
	}
	return problems
}

func (o *Option) set(value reflect.Value, given any) error {
	switch o.Type.Kind() {
	case reflect.String:
		text, err := textOf(given)
		if err == nil && text != "" && len(o.Allowed) > 0 && !slices.Contains(o.Allowed, text) {
			err = fmt.Errorf("must be one of %s", strings.Join(o.Allowed, ", "))
		}
		value.SetString(text)
		return err
	case reflect.Bool:
		truth, ok := given.(bool)
		if !ok {
			return errors.New("must be true or false")
		}
		value.SetBool(truth)
	case reflect.Slice:
		texts, err := textsOf(given)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if len(o.Allowed) > 0 && !slices.Contains(o.Allowed, text) {
				return fmt.Errorf("must only list %s", strings.Join(o.Allowed, ", "))
			}
		}
		value.Set(reflect.ValueOf(texts))
	case reflect.Map:
		table, err := tableOf(given)
		value.Set(reflect.ValueOf(table))
		return err
	default:
		number, err := numberOf(given)
		if err == nil && (number < o.Least || number > o.Most) {
			err = fmt.Errorf("must be between %d and %d", o.Least, o.Most)
		}
		value.SetInt(number)
		return err
	}
	return nil
}

func textOf(given any) (string, error) {
	switch given := given.(type) {
	case string:
		return given, nil
	case int, int64, uint64, float64, bool:
		// YAML has already turned 0123 into 83 and 1e3 into 1000. Turning such a value back into text could give
		// another one.
		return "", errors.New("must be a string: put its value in quotes")
	}
	return "", errors.New("must be a string")
}

func numberOf(given any) (int64, error) {
	switch given := given.(type) {
	case int:
		return int64(given), nil
	case int64:
		return given, nil
	case uint64:
		return int64(min(given, math.MaxInt64)), nil
	}
	return 0, errors.New("must be a whole number")
}

func textsOf(given any) ([]string, error) {
	if texts, ok := given.([]string); ok {
		return texts, nil
	}
	items, ok := given.([]any)
	texts := make([]string, len(items))
	for i, item := range items {
		var isText bool
		texts[i], isText = item.(string)
		ok = ok && isText
	}
	if !ok {
		return nil, errors.New("must be a list of strings")
	}
	return texts, nil
}

func tableOf(given any) (map[string]string, error) {
	items, ok := given.(map[any]any)
	table := make(map[string]string, len(items))
	for key, item := range items {
		name, isName := key.(string)
		text, isText := item.(string)
		table[name] = text
		ok = ok && isName && isText
	}
	if !ok {
		return nil, errors.New("must be a table of strings")
	}
	return table, nil
}
