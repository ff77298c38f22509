package logging

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
)

func TestConfigure(t *testing.T) {
	tests := []struct {
		config      configuration.Log
		level       logrus.Level
		engineLevel logrus.Level
		want        string
	}{
		{configuration.Log{Level: "info"}, logrus.InfoLevel, logrus.WarnLevel, "level=error msg=hello"},
		{configuration.Log{Level: "debug"}, logrus.DebugLevel, logrus.DebugLevel, "level=error msg=hello"},
		{configuration.Log{Level: "error", Formatter: "json"}, logrus.ErrorLevel, logrus.ErrorLevel, `"level":"error","msg":"hello"`},
		{configuration.Log{Level: "warn", Fields: map[string]any{"service": "registry"}}, logrus.WarnLevel, logrus.WarnLevel, "service=registry"},
	}
	for _, test := range tests {
		log, err := Configure(test.config)
		if err != nil {
			t.Fatal(err)
		}
		if got, engine := log.Logger.GetLevel(), logrus.GetLevel(); got != test.level || engine != test.engineLevel {
			t.Errorf("%+v: level %s, of the engine %s", test.config, got, engine)
		}
		for _, l := range []*logrus.Logger{log.Logger, logrus.StandardLogger()} {
			var out bytes.Buffer
			l.SetOutput(&out)
			l.WithField("a", 1).Error("hello")
			if !strings.Contains(out.String(), test.want) {
				t.Errorf("%+v: %s", test.config, out.String())
			}
			l.SetOutput(os.Stderr)
		}
	}
}

// TestBounded puts hostile texts of a client in every place of a line.
func TestBounded(t *testing.T) {
	hostile := []string{
		strings.Repeat("x", 64<<10),
		strings.Repeat("\x00", 64<<10),
		strings.Repeat("\"", 64<<10),
		strings.Repeat("\xff", 64<<10),
		strings.Repeat("\u009b31m\u202e", 8<<10),
		"\nlevel=info msg=forged",
	}
	for _, format := range []string{"text", "json"} {
		log, err := Configure(configuration.Log{Level: "info", Formatter: format})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range hostile {
			var out bytes.Buffer
			log.Logger.SetOutput(&out)
			log.WithFields(logrus.Fields{
				"http.request.uri": text, "http.request.useragent": text, "vars.name": text,
				"err.detail": struct{ Name string }{text}, "number": 7,
			}).WithError(errors.New(text)).Error(text)
			line := strings.TrimSuffix(out.String(), "\n")
			if limit := 3*mostOfClient + 3*most + 512; len(line) > limit {
				t.Errorf("%s: %.20q makes a line of %d bytes", format, text, len(line))
			}
			if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: %.20q is not escaped: %.200q", format, text, line)
			}
			if !strings.Contains(line, "number") || !strings.Contains(line, "7") {
				t.Errorf("%s: a number is lost", format)
			}
		}
	}
}

func TestBound(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"short", "short"},
		{"0123456789", "0123456789"},
		{"01234567890", "0123456789…"},
		{"äöüäöü", "äöüäö…"},
		{"a\u009bb", "a\ufffdb"},
		{"\n\n", "\n…"},
	} {
		if got := Bound(test.text, 10); got != test.want {
			t.Errorf("%q: %q", test.text, got)
		}
	}
}
