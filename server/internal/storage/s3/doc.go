// Package s3 adds what the client of the engine's S3 driver lacks. The client then refuses answers that are
// not S3's, waits no longer than there is time, and leaves nothing of a failed copy behind. It finds an object that was
// made although the answer was lost. It makes an upload a blob only if no other server has written to the upload
// meanwhile.
package s3

import (
	"github.com/aws/aws-sdk-go/aws/corehandlers"
	"github.com/aws/aws-sdk-go/private/protocol/restxml"
)

// The driver makes its client itself and keeps it private, so the SDK's own handlers are replaced.
func init() {
	restxml.UnmarshalHandler.Fn = unmarshal
	restxml.BuildHandler.Fn = build
	corehandlers.AfterRetryHandler.Fn = afterRetry
}
