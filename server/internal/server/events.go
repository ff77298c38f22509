package server

import (
	"context"
	"reflect"
	"slices"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	repositorymiddleware "github.com/distribution/distribution/v3/registry/middleware/repository"
)

const unheard = "unheard"

func init() {
	err := repositorymiddleware.Register(unheard, func(_ context.Context, repository distribution.Repository, _ map[string]any) (distribution.Repository, error) {
		return withoutEvents(repository), nil
	})
	if err != nil {
		panic(err)
	}
}

// leaveOutEvents keeps the engine from making events that nobody is told of: it would read each
// manifest once more for that, on every pull.
func leaveOutEvents(config *configuration.Configuration) {
	heard := func(e configuration.Endpoint) bool { return !e.Disabled }
	if !slices.ContainsFunc(config.Notifications.Endpoints, heard) {
		config.Middleware["repository"] = append(config.Middleware["repository"], configuration.Middleware{Name: unheard})
	}
}

// withoutEvents is the repository inside the one that tells of what is done to it. The engine
// has no name for that one; another kind of repository is left as it is.
func withoutEvents(repository distribution.Repository) distribution.Repository {
	value := reflect.Indirect(reflect.ValueOf(repository))
	if value.Kind() != reflect.Struct || value.Type().PkgPath() != "github.com/distribution/distribution/v3/notifications" {
		return repository
	}
	if inside := insideOf(value); inside != nil {
		return inside
	}
	return repository
}

// insideOf is nil where a struct has nothing of that kind inside: another release of the engine may
// call it otherwise.
func insideOf(telling reflect.Value) (inside distribution.Repository) {
	if field := telling.FieldByName("Repository"); field.IsValid() {
		inside, _ = field.Interface().(distribution.Repository)
	}
	return inside
}
