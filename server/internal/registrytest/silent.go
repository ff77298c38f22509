package registrytest

import (
	"io"

	"github.com/sirupsen/logrus"
)

// Silent is a log that nobody reads.
func Silent() *logrus.Entry {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return logrus.NewEntry(log)
}
