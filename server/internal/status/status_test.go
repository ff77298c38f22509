package status

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestWatch(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   []int
	}{
		"a status":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }, []int{http.StatusCreated}},
		"content alone": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }, []int{http.StatusOK}},
		"announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
		}, []int{http.StatusNotFound}},
		"twice": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write([]byte("x"))
		}, []int{http.StatusNotFound}},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var told []int
			client := httptest.NewRecorder()
			test.answer(Watch(client, func(status int) {
				if len(client.Body.Bytes()) > 0 {
					t.Error("told too late")
				}
				told = append(told, status)
			}), httptest.NewRequest(http.MethodGet, "/", nil))
			if !slices.Equal(told, test.want) {
				t.Errorf("told %v, want %v", told, test.want)
			}
		})
	}
}
