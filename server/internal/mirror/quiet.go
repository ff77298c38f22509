package mirror

import (
	"fmt"
	"regexp"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/sirupsen/logrus"
)

// referrersTag is a tag by which clients keep a list.
var referrersTag = regexp.MustCompile(`^sha(256|512)-[0-9a-f]+$`)

// quiet leaves out the engine's error that there is no such tag. Most images have none, it is
// asked for with each pull, and no error for the client; who asked is in the access log.
type quiet struct{ logrus.Formatter }

func (q quiet) Format(entry *logrus.Entry) ([]byte, error) {
	code, reference := fmt.Sprint(entry.Data["err.code"]), fmt.Sprint(entry.Data["vars.reference"])
	if code == errcode.ErrorCodeManifestUnknown.Error() && referrersTag.MatchString(reference) {
		return nil, nil
	}
	return q.Formatter.Format(entry)
}
