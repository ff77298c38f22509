package manifest

import "testing"

func TestVersion(t *testing.T) {
	for content, ok := range map[string]bool{
		`{"schemaVersion":2}`:   true,
		`{"schemaVersion":1}`:   false,
		`{"schemaVersion":"2"}`: false,
		`{}`:                    false,
		`[]`:                    false,
	} {
		m, err := Parse([]byte(content))
		if (err == nil && m.Version == 2) != ok {
			t.Errorf("%s: %v", content, err)
		}
	}
}
