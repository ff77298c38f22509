package server

import (
	"reflect"
	"testing"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/notifications"
)

// TestWithoutEvents finds the repository inside the engine's one that reports events. It fails if the engine
// changes that type.
func TestWithoutEvents(t *testing.T) {
	type plain struct{ distribution.Repository }
	repository := &plain{}
	telling, _ := notifications.Listen(repository, nil, nil)
	if got := withoutEvents(telling); got != distribution.Repository(repository) {
		t.Errorf("got %T", got)
	}
	if got := withoutEvents(repository); got != distribution.Repository(repository) {
		t.Errorf("a repository that tells of nothing became %T", got)
	}
	for _, test := range []struct {
		endpoints []configuration.Endpoint
		left      bool
	}{
		{nil, true},
		{[]configuration.Endpoint{{Name: "a", Disabled: true}}, true},
		{[]configuration.Endpoint{{Name: "a", Disabled: true}, {Name: "b"}}, false},
	} {
		c := &configuration.Configuration{Middleware: map[string][]configuration.Middleware{}}
		c.Notifications.Endpoints = test.endpoints
		leaveOutEvents(c)
		if left := len(c.Middleware["repository"]) == 1; left != test.left {
			t.Errorf("%+v: left out: %v", test.endpoints, left)
		}
	}
}

// TestInsideOf has structs that another release of the engine may have.
func TestInsideOf(t *testing.T) {
	type Repository = distribution.Repository
	inside := &struct{ Repository }{}
	for name, test := range map[string]struct {
		telling any
		want    Repository
	}{
		"as it is":        {struct{ Repository }{inside}, inside},
		"by another name": {struct{ Other Repository }{inside}, nil},
		"something else":  {struct{ Repository string }{"app"}, nil},
		"nothing":         {struct{ Repository }{}, nil},
	} {
		if got := insideOf(reflect.ValueOf(test.telling)); got != test.want {
			t.Errorf("%s: got %T", name, got)
		}
	}
}
