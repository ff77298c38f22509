package mirror

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/sirupsen/logrus"
)

// referrersTag is a tag by which clients keep a list.
var referrersTag = regexp.MustCompile(`^sha(256|512)-[0-9a-f]+$`)

// quiet leaves out errors of the engine that are none. There is no such tag: most images have
// none, it is asked for with each pull, and no error for the client; who asked is in the access
// log. What expires is gone already: with another repository that had it, or for its size.
// Content ends that nobody wants, or for which there is no room, which is told by itself. And what is given up of a blob can't be closed.
type quiet struct{ logrus.Formatter }

func (q quiet) Format(entry *logrus.Entry) ([]byte, error) {
	code, reference := fmt.Sprint(entry.Data["err.code"]), fmt.Sprint(entry.Data["vars.reference"])
	if code == errcode.ErrorCodeManifestUnknown.Error() && referrersTag.MatchString(reference) {
		return nil, nil
	}
	if detail := entry.Data["err.detail"]; detail == errUnwanted || detail == errUnkept || strings.HasPrefix(entry.Message, "error closing blobwriter: ") {
		return nil, nil
	}
	if strings.HasPrefix(entry.Message, "Scheduler error returned from OnExpire(") && strings.HasSuffix(entry.Message, distribution.ErrBlobUnknown.Error()) {
		return nil, nil
	}
	return q.Formatter.Format(entry)
}
