package tagorder

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	want := []string{
		"latest", "2026.10", "2026.9", "08", "8", "7", "v2.0", "v1.10", "1.10", "v1.9.1", "v1.9.0", "v1.9", "v1.9-rc10", "v1.9-rc2", "v1.9-alpine",
		"vnext", "nightly", "sha256-" + strings.Repeat("0", 64) + ".sig",
	}
	got := slices.Clone(want)
	rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	slices.SortFunc(got, Compare)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
