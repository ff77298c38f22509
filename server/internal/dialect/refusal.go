package dialect

import (
	"net/http"
	"regexp"
	"strconv"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"

	"container-registry/server/internal/layout"
)

// upload is what the engine calls an upload.
var upload = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// refusal is for what the engine fails on (500) or takes though the client is wrong; nil for the rest.
func refusal(r *http.Request, match mux.RouteMatch) error {
	if name, ok := match.Vars["name"]; ok && !layout.IsRepositoryName(name) {
		return errcode.ErrorCodeNameInvalid.WithDetail(name)
	}
	switch match.Route.GetName() {
	case v2.RouteNameCatalog, v2.RouteNameTags:
		// It looks for the place in the store by its path.
		if !layout.IsPlace(r.URL.Query().Get("last")) {
			return errcode.ErrorCodeNameInvalid.WithDetail("last is no name")
		}
		// Of tags it tells who asks for what is no number that it was 0.
		if n := r.URL.Query().Get("n"); n != "" {
			if _, err := strconv.Atoi(n); err != nil {
				return errcode.ErrorCodePaginationNumberInvalid.WithDetail(map[string]string{"n": n})
			}
		}
	case v2.RouteNameBlobUploadChunk:
		// It looks for that in the store by its path, too.
		if !upload.MatchString(match.Vars["uuid"]) {
			return errcode.ErrorCodeBlobUploadUnknown
		}
		return misplaced(r)
	}
	return nil
}
