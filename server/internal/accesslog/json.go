package accesslog

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"container-registry/server/internal/logging"
)

// record is a line as JSON. Level and message are as in the lines of the server's log, so that
// one rule reads both.
type record struct {
	Time      string  `json:"time"`
	Level     string  `json:"level"`
	Message   string  `json:"msg"`
	Address   string  `json:"address"`
	User      string  `json:"user,omitempty"`
	Method    string  `json:"method"`
	URI       string  `json:"uri"`
	Protocol  string  `json:"protocol"`
	Status    int     `json:"status"`
	Bytes     int64   `json:"bytes"`
	Seconds   float64 `json:"seconds"`
	Referer   string  `json:"referer,omitempty"`
	UserAgent string  `json:"useragent,omitempty"`
}

func (l *line) appendJSON(b []byte, r *http.Request) []byte {
	out := bytes.NewBuffer(b)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	// Texts and numbers can always be written.
	_ = encoder.Encode(record{
		Time:      l.start.Format(time.RFC3339Nano),
		Level:     "info",
		Message:   "request",
		Address:   logging.Bound(hostOf(r), mostOfHeader),
		User:      logging.Bound(l.user, mostOfHeader),
		Method:    logging.Bound(r.Method, mostOfMethod),
		URI:       logging.Bound(r.RequestURI, mostOfURI),
		Protocol:  r.Proto,
		Status:    l.answered(),
		Bytes:     l.written,
		Seconds:   time.Since(l.start).Seconds(),
		Referer:   logging.Bound(r.Referer(), mostOfHeader),
		UserAgent: logging.Bound(r.UserAgent(), mostOfHeader),
	})
	return out.Bytes()
}
