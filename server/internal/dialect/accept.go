package dialect

import (
	"mime"
	"net/http"
	"strings"

	"github.com/distribution/distribution/v3/manifest/manifestlist"
	"github.com/distribution/distribution/v3/manifest/schema2"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// There are no other types to choose from: each manifest is of the one that it was pushed by.
var (
	withoutLists = strings.Join([]string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, schema2.MediaTypeManifest}, ", ")
	everyType    = withoutLists + ", " + manifestlist.MediaTypeManifestList
)

// accepting has the engine give clients what there is, whatever they say, as RFC 9110, section 12.5.1, lets
// a server do. It would not have an OCI image for who names another type, none, or any (*), and yet have
// the index that names it. Who knows of Docker's images and not of its lists has the image for linux/amd64 of
// a list, as from the engine.
func accepting(r *http.Request) *http.Request {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return r
	}
	types := everyType
	if knowsNoLists(r.Header.Values("Accept")) {
		types = withoutLists
	}
	r = r.Clone(r.Context())
	r.Header.Set("Accept", types)
	return r
}

func knowsNoLists(accept []string) bool {
	knows := map[string]bool{}
	for each := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		if name, _, err := mime.ParseMediaType(each); err == nil {
			knows[name] = true
		}
	}
	return knows[schema2.MediaTypeManifest] && !knows[manifestlist.MediaTypeManifestList] && !knows["*/*"] && !knows["application/*"]
}
