package gcs

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	p, err := parseParameters(map[string]any{"bucket": "b", "rootdirectory": "/a/b/"})
	if err != nil || p.RootDirectory != "a/b" || p.ChunkSize != 16<<20 || p.MaxConcurrency != 50 || p.Credentials != nil {
		t.Errorf("%+v: %v", p, err)
	}
	for name, bad := range map[string]struct {
		raw  map[string]any
		want string
	}{
		"no bucket":      {map[string]any{}, "storage.gcs: bucket is required"},
		"small chunks":   {map[string]any{"bucket": "b", "chunksize": 1024}, "storage.gcs: chunksize must be between 262144 and "},
		"uneven chunks":  {map[string]any{"bucket": "b", "chunksize": 300_000}, "storage.gcs: chunksize must be a multiple of 262144"},
		"few at a time":  {map[string]any{"bucket": "b", "maxconcurrency": 1}, "storage.gcs: maxconcurrency must be between 25 and "},
		"another option": {map[string]any{"bucket": "b", "region": "eu"}, "storage.gcs: region is not an option of this driver"},
		"odd key":        {map[string]any{"bucket": "b", "credentials": map[any]any{"type": 1}}, "storage.gcs: credentials must be a table of strings"},
	} {
		if err := Check(bad.raw); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
