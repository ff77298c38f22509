// Package logging applies the log section of the configuration to the logger the
// engine writes to.
package logging

import (
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
)

// Configure sets level, format and the static fields.
func Configure(log configuration.Log) error {
	level, err := logrus.ParseLevel(string(log.Level))
	if err != nil {
		return err
	}
	logrus.SetLevel(level)
	logrus.SetReportCaller(log.ReportCaller)
	if log.Formatter == "json" {
		logrus.SetFormatter(&logrus.JSONFormatter{TimestampFormat: time.RFC3339Nano, DisableHTMLEscape: true})
	} else {
		logrus.SetFormatter(&logrus.TextFormatter{TimestampFormat: time.RFC3339Nano})
	}
	if len(log.Fields) > 0 {
		logrus.AddHook(staticFields(log.Fields))
	}
	return nil
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
