// Package s3 gives the client of the engine's S3 driver what it lacks: it refuses answers that are
// none of S3's, waits no longer than there is time, and leaves nothing of a copy that failed. An object whose
// answer was lost it finds. Of an upload it makes a blob only if no other server has written to that meanwhile.
package s3

import (
	"github.com/aws/aws-sdk-go/aws/corehandlers"
	"github.com/aws/aws-sdk-go/private/protocol/restxml"
)

// The driver makes its client by itself, and keeps it.
func init() {
	restxml.UnmarshalHandler.Fn = unmarshal
	restxml.BuildHandler.Fn = build
	corehandlers.AfterRetryHandler.Fn = afterRetry
}
