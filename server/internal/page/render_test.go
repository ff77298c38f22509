package page

import (
	"math"
	"testing"
	"time"

	"container-registry/server/internal/images"
)

func TestWords(t *testing.T) {
	for want, given := range map[string][]images.Text{
		"":                       nil,
		"nginx -g":               {"nginx", "-g"},
		`["sh","-c","a && b>c"]`: {"sh", "-c", "a && b>c"},
		`["say","\"<x>\""]`:      {"say", `"<x>"`},
		`["a",""]`:               {"a", ""},
	} {
		if got := words(images.List[images.Text]{Items: given}); got != want {
			t.Errorf("%q: %s, want %s", given, got, want)
		}
	}
}

// TestAgo includes times in the future.
func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		3 * time.Hour:    "3 hours ago",
		time.Second:      "just now",
		-time.Second:     "just now",
		-3 * time.Hour:   "in 3 hours",
		-50 * time.Hour:  "in 2 days",
		math.MinInt64:    "in 292 years",
		-5 * time.Minute: "in 5 minutes",
	} {
		if got := ago(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
