package dialect

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/distribution/distribution/v3/registry/api/errcode"
)

// chunk is a range of bytes as the specification writes it, in figures that an int64 holds.
var chunk = regexp.MustCompile(`^([0-9]{1,18})-([0-9]{1,18})$`)

// state is what the engine has clients send with an upload.
const state = "_state"

// misplaced is for a chunk that does not say where it belongs, or belongs elsewhere. Of one
// without a length the engine does not look at that.
func misplaced(r *http.Request) error {
	given := r.Header.Get("Content-Range")
	if given == "" || r.Method != http.MethodPatch && r.Method != http.MethodPut {
		return nil
	}
	parts := chunk.FindStringSubmatch(given)
	if parts == nil {
		return errcode.ErrorCodeRangeInvalid.WithDetail("Content-Range is written as FIRST-LAST")
	}
	first, _ := strconv.ParseInt(parts[1], 10, 64)
	last, _ := strconv.ParseInt(parts[2], 10, 64)
	if at, ok := reached(r.URL.Query().Get(state)); ok && r.Header.Get("Content-Length") == "" && (first != at || last < first) {
		return errcode.ErrorCodeRangeInvalid.WithDetail(fmt.Sprintf("the upload goes on at %d", at))
	}
	return nil
}

// reached is how many bytes of an upload are there, by the state that the engine has clients
// send with it: a sum of its own, which is the engine's to check, and what it knows.
func reached(given string) (at int64, ok bool) {
	content, err := base64.URLEncoding.DecodeString(given)
	if err != nil || len(content) < sha256.Size {
		return 0, false
	}
	var fields struct{ Offset int64 }
	err = json.Unmarshal(content[sha256.Size:], &fields)
	return fields.Offset, err == nil
}

// untyped leaves out the type of a chunk, which is bytes whatever a client calls them: the
// engine fails (500) on all types but one.
func untyped(r *http.Request) *http.Request {
	if given := r.Header.Get("Content-Type"); r.Method != http.MethodPatch || given == "" || given == "application/octet-stream" {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Content-Type")
	return r
}
