package dialect

import "net/http"

// whole leaves out of a question about a blob which of its bytes are wanted: ranges are for GET
// alone, and the engine answers with a part (206).
func whole(r *http.Request) *http.Request {
	if r.Method != http.MethodHead || r.Header.Get("Range") == "" {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	return r
}

// unmet takes the blob's length off an answer that sends none of it, as a condition of the client's
// is not met: the engine has said it by then.
type unmet struct{ http.ResponseWriter }

func (u unmet) WriteHeader(status int) {
	if status == http.StatusPreconditionFailed {
		u.Header().Del("Content-Length")
	}
	u.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (u unmet) Unwrap() http.ResponseWriter { return u.ResponseWriter }
