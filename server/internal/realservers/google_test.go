package realservers

import (
	"strings"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestGoogleFolders has folders that mean something in a URL, with layers that are uploaded in chunks.
func TestGoogleFolders(t *testing.T) {
	google := startGoogle(t)
	for _, folder := range []string{"a+b", "a&name=x", "a b/c", "100%", "ü"} {
		t.Run(folder, func(t *testing.T) {
			section := strings.TrimSuffix(googleStorage("images", google.values["serviceaccount"]), "}") + ", chunksize: 262144, rootdirectory: '" + folder + "'}"
			address := registrytest.FreeAddress(t)
			server := serveProcess(t, command(t.Context(), t, google, "serve", configFile(t, "server", config(address, section))), address)
			server.Push(t, "app", "1", registrytest.Layer(1, 600_000))
			server.Pulled(t)
		})
	}
}
