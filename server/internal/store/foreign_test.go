package store

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// TestForeign lets something in front of the store answer every request of the engine's
// drivers with a page. We have no other tests of these drivers.
func TestForeign(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keyText := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	for name, page := range map[string]string{
		"page":                "<!DOCTYPE html><html><head><title>Maintenance</title></head><body>back soon</body></html>",
		"page that no XML is": "<html><body>back<br>soon</body></html>",
		"empty":               "",
		"error":               `<?xml version="1.0"?><Error><Code>Maintenance</Code></Error>`,
		"truncated":           `<?xml version="1.0"?><EnumerationResults><Blobs><Blob><Name>a/`,
		"not found":           "<html><body>no such page</body></html>",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			if name == "not found" {
				w.WriteHeader(http.StatusNotFound)
			}
			fmt.Fprint(w, page)
		}))
		t.Cleanup(server.Close)
		t.Setenv("STORAGE_EMULATOR_HOST", server.URL)
		for _, storage := range []configuration.Storage{
			{"azure": {
				"container": "images", "accountname": "acct", "accountkey": base64.StdEncoding.EncodeToString([]byte("key")), "serviceurl": server.URL,
				"credentials": map[any]any{"type": "shared_key"},
			}},
			{"gcs": {"bucket": "images", "credentials": map[any]any{
				"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": keyText, "token_uri": server.URL,
			}}},
		} {
			s := Of(&configuration.Configuration{Storage: storage})
			driver, err := s.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for action, ask := range map[string]func(context.Context) error{
				"list": func(ctx context.Context) error { _, err := driver.List(ctx, "/a"); return err },
				"walk": func(ctx context.Context) error {
					return driver.Walk(ctx, "/a", func(storagedriver.FileInfo) error { return nil })
				},
				"stat":         func(ctx context.Context) error { _, err := driver.Stat(ctx, "/a"); return err },
				"health check": func(ctx context.Context) error { _, err := driver.Stat(ctx, "/"); return err },
			} {
				err := ask(t.Context())
				if err == nil || !s.Away(err) || strings.Contains(s.Failure(List, err).Error(), "panic") {
					t.Errorf("%s, %s, %s: %v", name, storage.Type(), action, err)
				}
			}
			if page == "" || name == "not found" {
				continue
			}
			_, err = driver.GetContent(t.Context(), layout.TagPath("a", "1"))
			if err == nil || !s.Away(err) {
				t.Errorf("%s, %s, tag: %v", name, storage.Type(), err)
			}
		}
	}
}
