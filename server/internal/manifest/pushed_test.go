package manifest

import (
	_ "crypto/sha512"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestParsePushed(t *testing.T) {
	config := `"config":{"digest":"` + digest.FromString("a config").String() + `"}`
	other := digest.SHA512.FromString("a layer").String()
	for _, test := range []struct {
		name, fields string
		ok           bool
	}{
		{"an image", config + `,"layers":[{"digest":"` + other + `"}]`, true},
		{"about another one", config + `,"subject":{"digest":"` + other + `"}`, true},
		{"about null", config + `,"subject":null`, true},
		{"about what has no digest", config + `,"subject":{"digest":"latest"}`, false},
		{"about a path", config + `,"subject":{"digest":"sha256:../../../evil"}`, false},
		{"about what an unknown algorithm names", config + `,"subject":{"digest":"md5:` + strings.Repeat("0", 32) + `"}`, false},
		{"about an empty digest", config + `,"subject":{"digest":""}`, false},
		{"about anything", config + `,"subject":{"size":1}`, false},
		{"fields within others of the same name", config + `,"annotations":{"config":"a"},"layers":[{"annotations":{"layers":"b"}, "digest":"` + other + `"}]`, true},
		{"about text", config + `,"subject":"x"`, false},
		{"a layer of an unknown algorithm", config + `,"layers":[{"digest":"blake3:` + strings.Repeat("0", 64) + `"}]`, false},
		{"a layer of half a digest", config + `,"layers":[{"digest":"sha256:abc"}]`, false},
		{"a layer without", config + `,"layers":[{"size":1}]`, false},
		{"a part of half a digest", `"manifests":[{"digest":"sha256:abc"}]`, false},
		{"a list twice", config + `,"manifests":[{"size":"x"}],"manifests":null`, false},
		{"a list twice, once in capitals", config + `,"MANIFESTS":[{"size":"x"}],"manifests":null`, false},
		{"a list twice, once with an old s", config + `,"manifeſts":[{"size":"x"}],"manifests":null`, false},
		{"a config twice", config + `,` + config, false},
		{"as many values as layers can have", config + `,"annotations":{"a":"` + strings.Repeat(`,`, mostValues) + `\",{"},"more":[0` + strings.Repeat(`,0`, mostValues-10) + `]`, true},
		{"more of them", config + `,"more":[0` + strings.Repeat(`,0`, mostValues) + `]`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ParsePushed([]byte(`{"schemaVersion":2,` + test.fields + `}`)); (err == nil) != test.ok {
				t.Error(err)
			}
		})
	}
	for content, ok := range map[string]bool{
		`{"schemaVersion":2}`:   true,
		`{"schemaVersion":1}`:   false,
		`{"schemaVersion":"2"}`: false,
		`{"schemaVersion":2`:    false,
		`{}`:                    false,
		`[]`:                    false,
	} {
		if _, err := ParsePushed([]byte(content)); (err == nil) != ok {
			t.Errorf("%s: %v", content, err)
		}
	}
}
