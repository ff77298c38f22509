// Package heldback keeps an answer until it is known whether a client may have it.
package heldback

import (
	"bytes"
	"net/http"
)

// Answer is an http.ResponseWriter that sends nothing by itself.
type Answer struct {
	Status  int
	Content bytes.Buffer

	header http.Header
}

// New is for one request.
func New() *Answer { return &Answer{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (a *Answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *Answer) WriteHeader(status int) {
	// A status below 200 announces another one.
	if a.Status == 0 && status >= http.StatusOK {
		a.Status = status
	}
}

// Write implements http.ResponseWriter.
func (a *Answer) Write(content []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.Content.Write(content)
}

// Send gives it to the client.
func (a *Answer) Send(w http.ResponseWriter) {
	// As net/http does for who says nothing.
	a.WriteHeader(http.StatusOK)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.Status)
	// The client is gone when this fails.
	_, _ = w.Write(a.Content.Bytes())
}
