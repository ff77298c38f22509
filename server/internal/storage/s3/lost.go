package s3

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/private/protocol/restxml"
	"github.com/aws/aws-sdk-go/service/s3"
)

// findMade handles the end of an upload whose answer was lost: if the object is there, it takes the place of the
// answer. The client retries by itself in that case, but many stores no longer know an upload that has ended.
func findMade(r *request.Request, asked *s3.CompleteMultipartUploadInput) {
	handlers := r.Handlers.Copy()
	handlers.Complete.Clear()
	// The handlers of this request take an answer without content for an error.
	handlers.Unmarshal.Clear()
	handlers.Unmarshal.PushBackNamed(restxml.UnmarshalHandler)
	r.Handlers.UnmarshalError.PushBack(func(r *request.Request) {
		var answered awserr.Error
		if r.RetryCount == 0 || !errors.As(r.Error, &answered) || answered.Code() != s3.ErrCodeNoSuchUpload {
			return
		}
		etag := etagOf(asked.MultipartUpload)
		if etag == "" {
			return
		}
		// If the object can't be looked at, the store's refusal stays the reason.
		found, err := storeOf(r, handlers).HeadObjectWithContext(r.Context(), &s3.HeadObjectInput{Bucket: asked.Bucket, Key: asked.Key})
		if err != nil || bare(found.ETag) != etag {
			return
		}
		r.Data.(*s3.CompleteMultipartUploadOutput).ETag = found.ETag
		r.Error = nil
		note(r)
	})
}

// etagOf is the ETag of an object that is made of parts, if their ETags are MD5 sums. With the keys of a KMS they are
// not, and then no object has this ETag.
func etagOf(made *s3.CompletedMultipartUpload) string {
	sum := md5.New()
	for _, p := range made.Parts {
		part, err := hex.DecodeString(bare(p.ETag))
		if err != nil {
			return ""
		}
		sum.Write(part)
	}
	return fmt.Sprintf("%x-%d", sum.Sum(nil), len(made.Parts))
}
