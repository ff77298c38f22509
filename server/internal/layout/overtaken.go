package layout

import (
	"errors"
	"fmt"

	"github.com/distribution/distribution/v3"
)

// ErrOvertaken is the error of a request that is no longer the last one of its upload. Its client is told that
// there is no such upload.
var ErrOvertaken = fmt.Errorf("another request has gone on with the upload, or ended it: %w", distribution.ErrBlobUploadUnknown)

// IsOvertaken says whether an error means that there is no such upload.
func IsOvertaken(err error) bool { return errors.Is(opened(err), distribution.ErrBlobUploadUnknown) }
