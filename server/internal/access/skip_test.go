package access

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

func TestSkip(t *testing.T) {
	zs := strings.Repeat("z", 255)
	for _, test := range []struct {
		prefixes []string
		at, want string
	}{
		{[]string{"team/"}, "", "teal" + zs[4:]},
		{[]string{"team/"}, "alpha/r1", "teal" + zs[4:]},
		{[]string{"team/"}, "team/r1", "team/r1"},
		{[]string{"team/"}, "zulu/r1", zs},
		{[]string{"team/", "zulu/"}, "team/r9", "team/r9"},
		{[]string{"alpha/", "zulu/"}, "team/r9", "zult" + zs[4:]},
		{[]string{"flat/10"}, "flat/0", "flat/1." + zs[7:]},
		{[]string{""}, "", ""},
		{[]string{"", "zulu/"}, "team", "team"},
		{nil, "", zs},
		{[]string{"team-a"}, "", "team-_" + zs[6:]},
		{[]string{"team-"}, "", "teal" + zs[4:]},
		// Which of them comes first depends on the store.
		{[]string{"a-b", "a/b"}, "", ""},
	} {
		if got := skip(test.prefixes, test.at); got != test.want {
			t.Errorf("%q after %q: %q, want %q", test.prefixes, test.at, got, test.want)
		} else if got != "" && !storagedriver.PathRegexp.MatchString("/"+got) || len(got) > len(zs) {
			t.Errorf("%q is no path", got)
		}
	}
}

// TestSkipLosesNone lists names in either order with steps of one, and compares with looking at
// all of them.
func TestSkipLosesNone(t *testing.T) {
	const letters = "ab0-/."
	random := rand.New(rand.NewPCG(1, 2))
	word := func(most int) string {
		var b strings.Builder
		b.WriteByte(letters[random.IntN(3)])
		for range random.IntN(most) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	name := func() string {
		for {
			if w := word(5); strings.Trim(w, "/") == w && !strings.Contains(w, "//") {
				return w
			}
		}
	}
	saved := 0
	for range 5_000 {
		var names, prefixes []string
		for range 12 {
			names = append(names, name())
		}
		for range 1 + random.IntN(3) {
			prefixes = append(prefixes, word(3))
		}
		wanted := func(n string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(n, p) })
		}
		for i, order := range orders {
			sorted := slices.Clone(names)
			slices.SortFunc(sorted, func(a, b string) int { return strings.Compare(order(a), order(b)) })
			sorted = slices.Compact(sorted)
			var got, want []string
			for _, n := range sorted {
				if wanted(n) {
					want = append(want, n)
				}
			}
			for at, steps := "", 0; ; steps++ {
				if steps > len(sorted)+1 {
					t.Fatalf("no end: %q of %q", prefixes, sorted)
				}
				from := skip(prefixes, at)
				next := slices.IndexFunc(sorted, func(n string) bool { return from == "" || order(n) > order(from) })
				if next < 0 {
					saved += len(sorted) - steps
					break
				}
				if at = sorted[next]; wanted(at) {
					got = append(got, at)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("order %d: %q of %q: got %q, want %q", i, prefixes, sorted, got, want)
			}
		}
	}
	if saved == 0 {
		t.Error("nothing was skipped")
	}
	t.Logf("%d names were passed by", saved)
}
