package config

import (
	"maps"
	"slices"
	"testing"

	"container-registry/server/internal/traits"
)

// TestTraits expects traits of every driver that can be configured, and of no other.
func TestTraits(t *testing.T) {
	known, configured := slices.Sorted(maps.Keys(traits.Of)), slices.Sorted(maps.Keys(drivers))
	if !slices.Equal(known, configured) {
		t.Errorf("traits are known of %q, configured are %q", known, configured)
	}
}
