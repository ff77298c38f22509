package dialect

import (
	"mime"
	"net/http"
	"strings"

	"github.com/distribution/distribution/v3/manifest/manifestlist"
	"github.com/distribution/distribution/v3/manifest/schema2"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

var everyType = strings.Join([]string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, schema2.MediaTypeManifest, manifestlist.MediaTypeManifestList}, ", ")

// accepting says to the engine by their names what a client means that takes any type: the
// engine does not know * and takes silence for the types of long ago.
func accepting(r *http.Request) *http.Request {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || !takesAny(r.Header.Values("Accept")) {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set("Accept", everyType)
	return r
}

func takesAny(accept []string) bool {
	silent := true
	for each := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		if each = strings.TrimSpace(each); each == "" {
			continue
		}
		silent = false
		if name, _, err := mime.ParseMediaType(each); err == nil && (name == "*/*" || name == "application/*") {
			return true
		}
	}
	return silent
}
