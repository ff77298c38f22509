package access

import (
	"strings"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/logging"
)

// Quiet has the engine say little of requests that were refused, which are in the access log and of
// which anybody can send as many as he likes. Nothing is said of those without credentials, with which every
// client begins. A wrong password is told by the controller itself.
func Quiet(engine *logrus.Logger, log *logrus.Entry) {
	engine.SetFormatter(quiet{engine.Formatter, logging.NewFew(log, "refusals")})
}

type quiet struct {
	logrus.Formatter
	few *logging.Few
}

func (q quiet) Format(entry *logrus.Entry) ([]byte, error) {
	reason, refused := strings.CutPrefix(entry.Message, "error authorizing context: ")
	if refused && (reason == errNoCredentials.Error() || !q.few.Take()) {
		return nil, nil
	}
	return q.Formatter.Format(entry)
}
