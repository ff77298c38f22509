package heldback

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   int
	}{
		"nothing": {func(http.ResponseWriter, *http.Request) {}, http.StatusOK},
		"content": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }, http.StatusOK},
		"twice": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusOK)
		}, http.StatusCreated},
		"announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
		}, http.StatusCreated},
	} {
		held, client := New(), httptest.NewRecorder()
		test.answer(held, httptest.NewRequest(http.MethodPut, "/", nil))
		if held.Send(client); client.Code != test.want {
			t.Errorf("%s: %d, want %d", name, client.Code, test.want)
		}
	}
}
