package storehealth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/health"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/poll"
)

func configured(threshold int) *configuration.Configuration {
	c := &configuration.Configuration{Storage: configuration.Storage{"inmemory": nil}}
	c.Health.StorageDriver.Enabled = true
	c.Health.StorageDriver.Threshold = threshold
	return c
}

var errAway = errors.New("no route to 10.0.0.1")

// TestUp describes what is known after each answer with a number: 1 for a store that answers, 0 for one
// that does not, and -1 while that is unknown.
func TestUp(t *testing.T) {
	for _, test := range []struct {
		name      string
		threshold int
		answers   []error
		want      int
	}{
		{"nobody was asked", 3, nil, -1},
		{"the first answer", 3, []error{nil}, 1},
		{"away from the start", 3, []error{errAway}, 0},
		{"away once", 3, []error{nil, errAway}, 1},
		{"and again, but not in a row", 3, []error{nil, errAway, errAway, nil, errAway}, 1},
		{"away for long", 3, []error{nil, errAway, errAway, errAway}, 0},
		{"back", 3, []error{errAway, nil}, 1},
		{"back, and away once", 3, []error{errAway, nil, errAway}, 1},
		{"without a threshold", 0, []error{nil, errAway}, 0},
	} {
		c := Take(configured(test.threshold))
		for _, each := range test.answers {
			c.Update(each)
		}
		got := -1
		if up, known := c.Up(); up {
			got = 1
		} else if known {
			got = 0
		}
		if got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
		if err := c.Check(t.Context()); (err == nil) != (test.want == 1) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestTake(t *testing.T) {
	if Take(&configuration.Configuration{}) != nil {
		t.Error("a check that nobody wants")
	}
	config := configured(0)
	if Take(config); config.Health.StorageDriver.Enabled {
		t.Error("the engine has one, too")
	}
}

// asked is a store whose answers come from a test.
type asked struct {
	storagedriver.StorageDriver
	answers chan error
}

func (a asked) Stat(context.Context, string) (storagedriver.FileInfo, error) {
	return nil, <-a.answers
}

// TestRun expects the check to ask at once. Until there is an answer, the store is unknown: a load balancer
// waits, and requests that need the store are not refused.
func TestRun(t *testing.T) {
	checks := health.DefaultRegistry
	health.DefaultRegistry = health.NewRegistry()
	defer func() { health.DefaultRegistry = checks }()
	health.RegisterFunc("other", func(context.Context) error { return errAway })

	c, store := Take(configured(3)), asked{inmemory.New(), make(chan error)}
	c.Run(t.Context(), store)
	if failing := c.Failing(t.Context()); len(failing) != 1 || failing["other"] == "" {
		t.Errorf("before the first answer: %v", failing)
	}
	if failing := health.CheckStatus(t.Context()); failing["storagedriver_inmemory"] == "" {
		t.Errorf("before the first answer for a load balancer: %v", failing)
	}
	store.answers <- errAway
	poll.Until(t, "a store that is away", func() bool { return c.Failing(t.Context())["storagedriver_inmemory"] == errAway.Error() })

	c, store = Take(configured(3)), asked{inmemory.New(), make(chan error)}
	health.DefaultRegistry = health.NewRegistry()
	c.Run(t.Context(), store)
	store.answers <- storagedriver.PathNotFoundError{Path: "/"}
	poll.Until(t, "an empty store that answers", func() bool { up, _ := c.Up(); return up })

	var none *Check
	if failing := none.Failing(t.Context()); len(failing) != 0 {
		t.Errorf("without a check: %v", failing)
	}
}

// TestRunAsksSoon has a network that is ready only a moment after the server.
func TestRunAsksSoon(t *testing.T) {
	checks := health.DefaultRegistry
	health.DefaultRegistry = health.NewRegistry()
	defer func() { health.DefaultRegistry = checks }()
	config := configured(3)
	config.Health.StorageDriver.Interval = time.Hour
	c, store := Take(config), asked{inmemory.New(), make(chan error, 2)}
	store.answers <- errAway
	store.answers <- nil
	c.Run(t.Context(), store)
	poll.Until(t, "a store that answers the second time", func() bool { up, _ := c.Up(); return up })
}
