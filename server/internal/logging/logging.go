// Package logging applies the log section of the configuration.
package logging

import (
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
)

// Configure makes the logger of this server, and sets up the one that the engine writes to.
//
// At info the engine writes two lines for each request, which take more time than a
// small request itself and say little that the access log does not. So the engine's info
// lines are shown only from debug on, and info is left to this server.
func Configure(log configuration.Log) (*logrus.Entry, error) {
	level, err := logrus.ParseLevel(string(log.Level))
	if err != nil {
		return nil, err
	}
	own, engine := logrus.New(), logrus.StandardLogger()
	for _, l := range []*logrus.Logger{own, engine} {
		l.SetLevel(level)
		l.SetReportCaller(log.ReportCaller)
		l.SetFormatter(bounded{formatter(log.Formatter)})
		if len(log.Fields) > 0 {
			l.AddHook(staticFields(log.Fields))
		}
	}
	if level == logrus.InfoLevel {
		engine.SetLevel(logrus.WarnLevel)
	}
	return logrus.NewEntry(own), nil
}

func formatter(name string) logrus.Formatter {
	if name == "json" {
		return &logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true}
	}
	// With colors it would show messages unescaped.
	return &logrus.TextFormatter{TimestampFormat: time.RFC3339Nano, DisableColors: true}
}

// staticFields adds the fields of log.fields to every line. The engine does it
// through a context key that is not public.
type staticFields logrus.Fields

func (f staticFields) Levels() []logrus.Level { return logrus.AllLevels }

func (f staticFields) Fire(entry *logrus.Entry) error {
	// The map of an entry may be shared between goroutines, so it is not changed.
	data := make(logrus.Fields, len(entry.Data)+len(f))
	for key, value := range f {
		data[key] = value
	}
	for key, value := range entry.Data {
		data[key] = value
	}
	entry.Data = data
	return nil
}
