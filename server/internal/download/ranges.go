package download

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// ranged asks for one range of bytes as net/http understands it, and for all where a client asks for
// several, as no client of a registry does: they may be thousands, each with a header of its own. RFC 9110,
// section 14.2, lets a server do so, and has it leave out units that it does not know. What is no range of
// bytes is refused (416), as the suite of the specification expects.
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
		copied.Header.Set("Range", "bytes="+figures(first)+"-"+figures(last))
	}
	return &copied
}

// figures that no int64 holds are those of the largest one, which is beyond every end as well.
func figures(given string) string {
	if n, err := strconv.ParseInt(given, 10, 64); errors.Is(err, strconv.ErrRange) {
		return strconv.FormatInt(n, 10)
	}
	return given
}
