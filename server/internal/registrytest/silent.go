package registrytest

import (
	"io"

	"github.com/sirupsen/logrus"
)

// Silent returns a log that is discarded.
func Silent() *logrus.Entry {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return logrus.NewEntry(log)
}
