package page

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
)

// TestLongPage has a page that would take more memory than it may.
func TestLongPage(t *testing.T) {
	f := newFrame(&configuration.Configuration{}, logrus.NewEntry(logrus.New()))
	w := httptest.NewRecorder()
	f.showProblem(w, httptest.NewRequest(http.MethodGet, "/ui/", nil), nil, http.StatusNotFound, strings.Repeat("x", longestPage))
	if text := w.Body.String(); w.Code != http.StatusUnprocessableEntity || len(text) > 10_000 || !strings.Contains(text, "too long") || !strings.HasSuffix(text, "</html>\n") {
		t.Errorf("%d, %d bytes: %.2000s", w.Code, len(text), text)
	}
}
