// Package accesslog writes a line for each request: in the combined format that web servers
// and their tools share, or as JSON. Unlike the engine's access log it says who the user was.
package accesslog

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// contextKey is the type of the key under which a request carries its line.
type contextKey struct{}

// SetUser adds the name of the user to the line of a request.
func SetUser(ctx context.Context, name string) {
	if l, ok := ctx.Value(contextKey{}).(*line); ok {
		l.user = name
	}
}

// Room says whether there is room for the line of a request without a user.
type Room func(r *http.Request, status int) bool

// Handler writes a line to out after each request, in a format of log.formatter. Several requests
// write at the same time.
func Handler(out io.Writer, format string, room Room, next http.Handler) http.Handler {
	appendLine := (*line).append
	if format == "json" {
		appendLine = (*line).appendJSON
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &line{ResponseWriter: w, start: time.Now()}
		defer func() {
			if l.user == "" && !room(r, l.answered()) {
				return
			}
			// There is no other place to complain.
			_, _ = out.Write(appendLine(l, make([]byte, 0, 256), r))
		}()
		next.ServeHTTP(l, r.WithContext(context.WithValue(r.Context(), contextKey{}, l)))
	})
}

// line observes the response to a request.
type line struct {
	http.ResponseWriter
	start   time.Time
	user    string
	status  int
	written int64
}

func (l *line) WriteHeader(status int) {
	// A status below 200 announces another one.
	if l.status == 0 && status >= http.StatusOK {
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *line) Write(content []byte) (int, error) {
	n, err := l.ResponseWriter.Write(content)
	l.written += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController, with which inner handlers end the wait for a client.
func (l *line) Unwrap() http.ResponseWriter { return l.ResponseWriter }

// answered returns the status that the client got.
func (l *line) answered() int {
	if l.status == 0 {
		return http.StatusOK
	}
	return l.status
}

func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (l *line) append(b []byte, r *http.Request) []byte {
	b = appendField(b, hostOf(r))
	b = append(b, " - "...)
	b = appendField(b, l.user)
	b = append(b, " ["...)
	b = l.start.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = appendEscaped(b, r.Method, mostOfMethod)
	b = append(b, ' ')
	b = appendEscaped(b, r.RequestURI, mostOfURI)
	b = append(b, ' ')
	b = append(b, r.Proto...)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(l.answered()), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, l.written, 10)
	b = append(b, ` "`...)
	b = appendEscaped(b, r.Referer(), mostOfHeader)
	b = append(b, `" "`...)
	b = appendEscaped(b, r.UserAgent(), mostOfHeader)
	return append(b, "\"\n"...)
}

// appendField appends a field that is delimited by spaces.
func appendField(b []byte, text string) []byte {
	if text == "" {
		return append(b, '-')
	}
	from := len(b)
	b = appendEscaped(b, text, mostOfHeader)
	for i := from; i < len(b); i++ {
		if b[i] == ' ' {
			b[i] = '_'
		}
	}
	return b
}

// How much of a line a client may take up: enough for every meaningful request. Logs are
// kept only up to a size, and a client that fills them hides what was there.
const (
	mostOfMethod = 32
	mostOfURI    = 1 << 10
	mostOfHeader = 1 << 8
)

// appendEscaped keeps clients from forging lines and from causing long ones.
func appendEscaped(b []byte, text string, most int) []byte {
	const hex = "0123456789abcdef"
	end := len(b) + most
	for i := range len(text) {
		if len(b) >= end {
			return append(b, "..."...)
		}
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
