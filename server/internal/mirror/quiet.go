package mirror

import (
	"fmt"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
)

// isNone says whether a line is of errors of the engine that are none. There is no such tag: most images have
// none, it is asked for with each pull, and no error for the client; who asked is in the access
// log. What expires is gone already: with another repository that had it, or for its size.
// Content ends that nobody wants, or for which there is no room, which is told by itself. And what is given up of a blob can't be closed.
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
