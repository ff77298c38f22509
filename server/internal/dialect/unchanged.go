package dialect

import (
	"net/http"
	"slices"
	"strings"
)

// comparing answers a client that has some manifests already. The engine understands one that is
// written as it would, says so before it looks for the manifest, and not which it is. Of several, or
// of any (*), the answer has to tell.
func comparing(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request) {
	had := entityTags(r.Header.Values("If-None-Match"))
	if r.Method != http.MethodGet && r.Method != http.MethodHead || len(had) == 0 {
		return w, r
	}
	r = r.Clone(r.Context())
	r.Header.Del("If-None-Match")
	if len(had) == 1 && had[0] != "*" {
		r.Header.Set("If-None-Match", had[0])
	}
	return &unchanged{ResponseWriter: w, had: had}, r
}

// entityTags are in the engine's words, in which a manifest has no weak one.
func entityTags(given []string) (list []string) {
	for each := range strings.SplitSeq(strings.Join(given, ","), ",") {
		switch each = strings.TrimPrefix(strings.TrimSpace(each), "W/"); each {
		case "":
		case "*":
			list = append(list, each)
		default:
			list = append(list, `"`+strings.Trim(each, `"`)+`"`)
		}
	}
	return list
}

// unchanged is the answer to a client that had some of what there may be.
type unchanged struct {
	http.ResponseWriter
	had []string
	// told says that the status was sent, and bare that nothing comes after it.
	told, bare bool
}

func (u *unchanged) WriteHeader(status int) {
	if !u.told && status >= http.StatusOK {
		u.told = true
		status = u.compared(status)
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *unchanged) compared(status int) int {
	header := u.Header()
	switch {
	case status == http.StatusNotModified:
		// The engine was asked about one alone.
		header.Set("Etag", u.had[0])
		header.Set("Docker-Content-Digest", strings.Trim(u.had[0], `"`))
	case status == http.StatusOK && (slices.Contains(u.had, "*") || slices.Contains(u.had, header.Get("Etag"))):
		u.bare = true
		header.Del("Content-Length")
		header.Del("Content-Type")
		return http.StatusNotModified
	}
	return status
}

func (u *unchanged) Write(content []byte) (int, error) {
	if !u.told {
		u.WriteHeader(http.StatusOK)
	}
	if u.bare {
		return len(content), nil
	}
	return u.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (u *unchanged) Unwrap() http.ResponseWriter { return u.ResponseWriter }
