package mirror

import (
	"testing"

	"container-registry/server/internal/logging"

	"github.com/sirupsen/logrus"
)

// TestQuiet has the engine give up blobs, which every driver closes in words of its own.
func TestQuiet(t *testing.T) {
	for message, told := range map[string]bool{
		"error closing blobwriter: already closed":             false,
		"error closing blobwriter: upload part: NoSuchUpload":  false,
		"error closing blobwriter: RESPONSE 404: BlobNotFound": false,
		"Error canceling blob writer":                          true,
	} {
		entry := logrus.NewEntry(logrus.New())
		entry.Message = message
		if line, err := logging.Without(&logrus.TextFormatter{}, isNone).Format(entry); err != nil || len(line) > 0 != told {
			t.Errorf("%s: %q, %v", message, line, err)
		}
	}
}
