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

// leaveOutEvents keeps the engine from making events that nobody is told about. It would read each manifest
// once more for that, on every pull.
func leaveOutEvents(config *configuration.Configuration) {
	heard := func(e configuration.Endpoint) bool { return !e.Disabled }
	if !slices.ContainsFunc(config.Notifications.Endpoints, heard) {
		config.Middleware["repository"] = append(config.Middleware["repository"], configuration.Middleware{Name: unheard})
	}
}

// withoutEvents is the repository inside the one that reports what is done to it. The engine does not export
// the type of that one. Any other repository is left as it is.
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

// insideOf is nil if the struct has no such field: another release of the engine may name it differently.
func insideOf(telling reflect.Value) (inside distribution.Repository) {
	if field := telling.FieldByName("Repository"); field.IsValid() {
		inside, _ = field.Interface().(distribution.Repository)
	}
	return inside
}
