package logging

import (
	"bytes"
	"os"
	"strings"
	"testing"

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
