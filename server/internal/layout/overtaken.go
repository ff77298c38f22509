package layout

import (
	"errors"
	"fmt"

	"github.com/distribution/distribution/v3"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// ErrOvertaken is for a request that is not the last one of its upload: its client is told that there is
// no such upload.
var ErrOvertaken = fmt.Errorf("another request has gone on with the upload, or ended it: %w", distribution.ErrBlobUploadUnknown)

// IsOvertaken says whether an error tells that there is no such upload. The engine wraps those of drivers without
// a way to unwrap them.
func IsOvertaken(err error) bool {
	if other := (storagedriver.Error{}); errors.As(err, &other) {
		err = errors.Join(err, other.Detail)
	}
	return errors.Is(err, distribution.ErrBlobUploadUnknown)
}
