package s3

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/private/protocol/restxml"
	"github.com/aws/aws-sdk-go/service/s3"
)

// unmarshal refuses answers that are not S3's. A gateway in front of the store may answer with a page
// and the status 200, which the driver's client takes for an empty list, or for the success of a write.
// unmarshal fails with a code for which the client retries.
func unmarshal(r *request.Request) {
	restxml.Unmarshal(r)
	if r.Error != nil {
		return
	}
	if isWhole(r.Data) {
		note(r)
		return
	}
	r.HTTPResponse.Body.Close()
	r.Error = awserr.New(request.ErrCodeRequestError,
		fmt.Sprintf("no answer of S3 to %s: %s of type %q", r.Operation.Name, r.HTTPResponse.Status, r.HTTPResponse.Header.Get("Content-Type")), nil)
}

// isWhole says whether an answer has what the answers of every S3 server have. The driver uses most of it
// without a check.
func isWhole(answer any) bool {
	switch a := answer.(type) {
	case *s3.ListObjectsV2Output:
		return (a.IsTruncated != nil || a.Name != nil) && !slices.ContainsFunc(a.Contents, isPart)
	case *s3.GetObjectOutput:
		return a.LastModified != nil || a.ETag != nil
	case *s3.HeadObjectOutput:
		return a.LastModified != nil && a.ContentLength != nil
	case *s3.PutObjectOutput:
		return a.ETag != nil
	case *s3.CopyObjectOutput:
		return a.CopyObjectResult != nil && a.CopyObjectResult.ETag != nil
	case *s3.DeleteObjectsOutput:
		return len(a.Deleted)+len(a.Errors) > 0
	case *s3.CreateMultipartUploadOutput:
		return a.UploadId != nil
	case *s3.UploadPartOutput:
		return a.ETag != nil
	case *s3.UploadPartCopyOutput:
		return a.CopyPartResult != nil && a.CopyPartResult.ETag != nil
	case *s3.CompleteMultipartUploadOutput:
		return a.ETag != nil
	case *s3.ListPartsOutput:
		return a.IsTruncated != nil
	case *s3.ListMultipartUploadsOutput:
		return a.IsTruncated != nil || a.Bucket != nil
	default:
		return true
	}
}

func isPart(o *s3.Object) bool { return o.Key == nil || o.Size == nil || o.LastModified == nil }
