package mirror

import (
	"fmt"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
)

// isNone says whether a log line reports an error of the engine that is not an error. A referrers tag is
// missing: most images have none, each pull asks for it, the client gets no error, and the request is in the
// access log. What expires is gone already, either with another repository that had it or because the cache was
// too large. Content ends because nobody wants it, or because there is no room for it, which is logged
// separately. A blob that was given up cannot be closed.
func isNone(entry *logrus.Entry) bool {
	code, reference := fmt.Sprint(entry.Data["err.code"]), fmt.Sprint(entry.Data["vars.reference"])
	if code == errcode.ErrorCodeManifestUnknown.Error() && layout.IsReferrersTag(reference) {
		return true
	}
	if detail := entry.Data["err.detail"]; detail == errUnwanted || detail == errUnkept || strings.HasPrefix(entry.Message, "error closing blobwriter: ") {
		return true
	}
	return strings.HasPrefix(entry.Message, "Scheduler error returned from OnExpire(") && strings.HasSuffix(entry.Message, distribution.ErrBlobUnknown.Error())
}
