// Package status sees the status of a response before the client does.
package status

import "net/http"

// Watch calls tell once with the status of a response, when the response begins.
func Watch(w http.ResponseWriter, tell func(status int)) http.ResponseWriter {
	return &watched{ResponseWriter: w, tell: tell}
}

type watched struct {
	http.ResponseWriter
	tell func(status int)
	told bool
}

func (w *watched) WriteHeader(status int) {
	// A status below 200 announces another one.
	if !w.told && status >= http.StatusOK {
		w.told = true
		w.tell(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(content []byte) (int, error) {
	if !w.told {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
