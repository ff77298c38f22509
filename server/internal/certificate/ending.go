package certificate

import (
	"crypto/tls"
	"time"

	"github.com/sirupsen/logrus"
)

// ahead is how long before its end the log warns of a certificate. For one of few days, which is
// replaced often, the warning comes a tenth of its lifetime before.
const ahead = 7 * 24 * time.Hour

// notice is a line in the log about the end of the certificate that is served.
type notice struct {
	at    time.Time
	level logrus.Level
	text  string
}

// notices returns the notices for a certificate that is served from now on: one before its end, and one at
// its end. A server that starts with an expired certificate logs that at its start.
func notices(pair *tls.Certificate, now time.Time) []notice {
	if now.After(pair.Leaf.NotAfter) {
		return nil
	}
	ends := end(pair)
	early := min(ahead, ends.Sub(pair.Leaf.NotBefore)/10)
	return []notice{
		{ends.Add(-early), logrus.WarnLevel, "the certificate is about to expire, or one that it is signed by"},
		{ends, logrus.ErrorLevel, "the certificate has expired, or one that it is signed by: clients that check it refuse what is served"},
	}
}

// remind logs the last of the notices that are due.
func (r *Reloader) remind(now time.Time) {
	due := 0
	for due < len(r.notices) && !now.Before(r.notices[due].at) {
		due++
	}
	if due > 0 {
		told := r.notices[due-1]
		r.log.WithFields(r.Fields()).Log(told.level, told.text)
		r.notices = r.notices[due:]
	}
}
