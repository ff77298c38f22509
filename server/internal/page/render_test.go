package page

import (
	"testing"

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
