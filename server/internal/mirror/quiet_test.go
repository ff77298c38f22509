package mirror

import (
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"container-registry/server/internal/logging"

	"github.com/sirupsen/logrus"
)

// TestQuiet has the engine give up blobs. Every driver has an error of its own for closing these.
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

// TestQuietTags has tags that the upstream lacks: clients ask for those of referrers with each pull.
func TestQuietTags(t *testing.T) {
	long := strings.Repeat("a", 64)
	for tag, told := range map[string]bool{"sha256-" + long: false, "sha512-" + long: false, "sha256-" + long + ".sig": true, "sha256-a": true, "latest": true} {
		entry := logrus.NewEntry(logrus.New()).WithFields(logrus.Fields{"err.code": errcode.ErrorCodeManifestUnknown, "vars.reference": tag})
		if isNone(entry) == told {
			t.Errorf("%s: told is %v", tag, !told)
		}
	}
}
