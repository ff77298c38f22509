package server

import (
	"os"
	"path/filepath"
	"testing"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// TestForgetsLastEndpoint has events for an endpoint that is no longer configured.
func TestForgetsLastEndpoint(t *testing.T) {
	root := t.TempDir()
	left := filepath.Join(root, "container-registry-events", "hook", "event")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	browse(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+root+"}}\n"), "")
	poll.Until(t, "the events of an endpoint of before to go", func() bool {
		_, err := os.Stat(left)
		return os.IsNotExist(err)
	})
}
