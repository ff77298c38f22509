package layout

import "testing"

func TestIsOwn(t *testing.T) {
	for name, want := range map[string]bool{
		"container-registry-collection": true, "container-registry-check-A2B7": true, "container-registry-changes": true,
		"container-registry-dev": false, "container-registry-collections": false, "docker": false, "": false,
	} {
		if got := IsOwn(name); got != want {
			t.Errorf("%q: %t", name, got)
		}
	}
}
