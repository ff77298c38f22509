package access

import (
	"fmt"
	"time"
)

// options are those of auth.htpasswd; their types were checked with the file.
type options struct {
	realm, path string
	cacheSize   int
	cacheTTL    time.Duration
	failures    int
	window      time.Duration
}

func readOptions(parameters map[string]any) (options, error) {
	o := options{cacheSize: 10_000, cacheTTL: 5 * time.Minute, failures: 60, window: time.Minute}
	read := reader{parameters: parameters}
	read.text("realm", &o.realm)
	read.text("path", &o.path)
	cache, limit := read.section("cache"), read.section("limit")
	cache.number("size", &o.cacheSize)
	cache.duration("ttl", &o.cacheTTL)
	limit.number("failures", &o.failures)
	limit.duration("window", &o.window)
	for _, r := range []reader{read, cache, limit} {
		if r.err != nil {
			return options{}, r.err
		}
	}
	return o, nil
}

// reader takes values out of what the engine's parser left untyped.
type reader struct {
	path       string
	parameters map[string]any
	err        error
}

func (r *reader) section(name string) reader {
	s := reader{path: name + ".", parameters: map[string]any{}}
	keys, ok := r.parameters[name].(map[any]any)
	if !ok && r.parameters[name] != nil {
		r.fail(name, "a section")
	}
	for key, value := range keys {
		s.parameters[fmt.Sprint(key)] = value
	}
	return s
}

func (r *reader) text(name string, into *string) {
	value, ok := r.parameters[name].(string)
	if !ok || value == "" {
		r.fail(name, "text")
		return
	}
	*into = value
}

func (r *reader) number(name string, into *int) {
	switch value := r.parameters[name].(type) {
	case nil:
	case int:
		*into = value
	default:
		r.fail(name, "a whole number")
	}
}

func (r *reader) duration(name string, into *time.Duration) {
	value, ok := r.parameters[name]
	if !ok {
		return
	}
	d, err := time.ParseDuration(fmt.Sprint(value))
	if err != nil {
		r.fail(name, "a duration")
		return
	}
	*into = d
}

func (r *reader) fail(name, kind string) {
	r.err = fmt.Errorf("auth.htpasswd.%s%s: must be %s", r.path, name, kind)
}
