package server

import (
	"bytes"
	"log"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/logging"
)

// errorLog passes on what net/http reports. Failed TLS handshakes are worth a line, because they show a client
// that does not trust the certificate. Those of port scans and load balancers, which only open a connection,
// are not. A client that opens connections without end must not fill the log.
func errorLog(to *logrus.Entry) *log.Logger {
	return log.New(httpErrors{to, logging.NewFew(to, "errors of connections")}, "", 0)
}

type httpErrors struct {
	log *logrus.Entry
	few *logging.Few
}

func (h httpErrors) Write(line []byte) (int, error) {
	text := bytes.TrimSpace(line)
	if bytes.Contains(text, []byte("TLS handshake error")) && (bytes.HasSuffix(text, []byte("EOF")) || bytes.HasSuffix(text, []byte("connection reset by peer"))) {
		h.log.Debug(string(text))
	} else if bytes.Contains(text, []byte("panic serving")) || h.few.Take() {
		h.log.Warn(string(text))
	}
	return len(line), nil
}
