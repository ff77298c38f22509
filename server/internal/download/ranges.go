package download

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/distribution/distribution/v3/registry/api/errcode"
)

// ranged asks for a range of bytes in a form that net/http understands. If a client asks for several ranges, it
// asks for the whole blob: there may be thousands of them, each with a header of its own, and no client of a
// registry does so. RFC 9110, section 14.2, allows this, and requires a server to ignore units that it does not
// know. What is not a valid range of bytes is refused (416), as the test suite of the specification expects.
func ranged(r *http.Request) *http.Request {
	given := r.Header.Get("Range")
	if given == "" {
		return r
	}
	copied := *r
	copied.Header = r.Header.Clone()
	copied.Header.Del("Range")
	if unit, asked, _ := strings.Cut(given, "="); strings.EqualFold(unit, "bytes") && !strings.Contains(asked, ",") {
		first, last, _ := strings.Cut(asked, "-")
		first, last = figures(strings.TrimSpace(first)), figures(strings.TrimSpace(last))
		if first == "" && last == "0" {
			// For a suffix of no bytes, net/http would send nothing, with a range that ends before it begins.
			first, last = beyond, ""
		}
		copied.Header.Set("Range", "bytes="+first+"-"+last)
	}
	return &copied
}

// beyond is a position after every end.
var beyond = strconv.FormatInt(math.MaxInt64, 10)

// figures removes leading zeros. A number that no int64 holds becomes the largest one, which is beyond every
// end as well.
func figures(given string) string {
	n, err := strconv.ParseUint(given, 10, 63)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return beyond
	case err != nil:
		return given
	}
	return strconv.FormatUint(n, 10)
}

// unsatisfied makes net/http refuse a range with an error of the API. The header that says where the content
// ends stays.
type unsatisfied struct {
	http.ResponseWriter
	refused bool
}

func (u *unsatisfied) WriteHeader(status int) {
	if u.refused = status == http.StatusRequestedRangeNotSatisfiable; !u.refused {
		u.ResponseWriter.WriteHeader(status)
		return
	}
	// The client is gone when this fails.
	_ = errcode.ServeJSON(u.ResponseWriter, errcode.ErrorCodeRangeInvalid.WithMessage("the blob has no such range of bytes"))
}

// Write leaves out the text of net/http.
func (u *unsatisfied) Write(p []byte) (int, error) {
	if u.refused {
		return len(p), nil
	}
	return u.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (u *unsatisfied) Unwrap() http.ResponseWriter { return u.ResponseWriter }
