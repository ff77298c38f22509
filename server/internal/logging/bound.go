package logging

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
)

// How much of a line one field or message may take up. Fields that hold only what a client sent
// get less: they repeat what the access log has, and logs are kept only up to a size.
const (
	most         = 1 << 10
	mostOfClient = 1 << 8
)

// bounded keeps lines short and readable, whatever clients put in their requests.
type bounded struct {
	logrus.Formatter
}

func (b bounded) Format(entry *logrus.Entry) ([]byte, error) {
	short := *entry
	short.Message = Bound(entry.Message, most)
	// The map of an entry may be shared between goroutines, so it is not changed.
	short.Data = make(logrus.Fields, len(entry.Data))
	for name, value := range entry.Data {
		limit := most
		if strings.HasPrefix(name, "http.request.") || strings.HasPrefix(name, "vars.") {
			limit = mostOfClient
		}
		short.Data[name] = boundValue(value, limit)
	}
	return b.Formatter.Format(&short)
}

func boundValue(value any, limit int) any {
	switch value := value.(type) {
	case nil, bool, int, int64, uint64, float64, time.Time:
		return value
	case string:
		return Bound(value, limit)
	case error:
		return Bound(value.Error(), limit)
	default:
		// If it is short enough the formatter knows best.
		text := fmt.Sprint(value)
		if short := Bound(text, limit); short != text {
			return short
		}
		return value
	}
}

// escaped is the length of a character that formatters write escaped.
const escaped = len(`\u0000`)

// Bound truncates a text, and replaces characters that formatters do not escape but terminals interpret.
func Bound(text string, limit int) string {
	var b strings.Builder
	size := 0
	for _, r := range text {
		if r > unicode.MaxASCII && !unicode.IsPrint(r) || r == '\x7f' {
			r = utf8.RuneError
		}
		if unicode.IsPrint(r) && r != '"' && r != '\\' {
			size += utf8.RuneLen(r)
		} else {
			size += escaped
		}
		if size > limit {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}
