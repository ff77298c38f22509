package paths

import "testing"

func TestAPI(t *testing.T) {
	for prefix, want := range map[string]string{"": "/v2/", "/": "/v2/", "/p/": "/p/v2/", "p": "/p/v2/", "/a/b/": "/a/b/v2/"} {
		if got := API(prefix); got != want {
			t.Errorf("%q: %q, want %q", prefix, got, want)
		}
	}
}
