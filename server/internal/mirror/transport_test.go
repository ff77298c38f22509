package mirror

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTransport checks what the engine is given, and what drivers of stores make of it.
func TestTransport(t *testing.T) {
	asked := 0
	u := upstreamOf("https://registry.example.com", func(*http.Request) *http.Response {
		asked++
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
	})
	shown := http.RoundTripper(transportTo(u))
	for _, scheme := range []string{"http", "https"} {
		answer, err := (&http.Client{Transport: shown}).Get(scheme + "://registry.example.com/v2/")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
	}
	store := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(store.Close)
	clone := shown.(*http.Transport).Clone()
	t.Cleanup(clone.CloseIdleConnections)
	clone.TLSClientConfig = store.Client().Transport.(*http.Transport).TLSClientConfig
	answer, err := (&http.Client{Transport: clone}).Get(store.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if asked != 2 || answer.StatusCode != http.StatusNotFound {
		t.Errorf("the upstream was asked %d times, the store said %s", asked, answer.Status)
	}
}
