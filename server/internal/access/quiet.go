package access

import (
	"net/http"
	"strings"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/logging"
)

// Quiet has the engine say little of requests that were refused, and of those without a login that failed
// by themselves, which are in the access log and of which anybody can send as many as he likes. Nothing is
// said of those without credentials, with which every client begins. A wrong password is told by the
// controller itself.
func Quiet(engine *logrus.Logger, log *logrus.Entry) {
	refusals, strangers := logging.NewFew(log, "refusals"), logging.NewFew(log, "errors of requests without a login")
	engine.SetFormatter(logging.Without(engine.Formatter, func(entry *logrus.Entry) bool {
		reason, refused := strings.CutPrefix(entry.Message, "error authorizing context: ")
		return refused && (reason == errNoCredentials.Error() || !refusals.Take()) || !refused && ofStranger(entry) && !strangers.Take()
	}))
}

// ofStranger is what is said of a client without a login, where others have one. What the server fails
// at is worth a line whoever asked.
func ofStranger(entry *logrus.Entry) bool {
	user, hasUsers := entry.Data["auth.user.name"].(string)
	status, _ := entry.Data["http.response.status"].(int)
	return hasUsers && user == "" && status < http.StatusInternalServerError
}
