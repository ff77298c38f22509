package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/client"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/private/protocol"
	"github.com/aws/aws-sdk-go/private/protocol/restxml"
	"github.com/aws/aws-sdk-go/service/s3"

	"container-registry/server/internal/layout"
)

// abortTime is how long a store may take to abort a copy.
const abortTime = 5 * time.Second

var buildRequest = restxml.BuildHandler.Fn

// build makes a failed copy in parts end in the store as well. The driver leaves the copy's multipart upload open: its
// parts are in no listing, and are billed. The multipart upload of a client's upload is left alone: the driver ends it
// itself, or keeps it for the client to continue.
func build(r *request.Request) {
	require(r)
	buildRequest(r)
	switch p := r.Params.(type) {
	case *s3.UploadPartCopyInput:
		abortFailed(r, &s3.AbortMultipartUploadInput{Bucket: p.Bucket, Key: p.Key, UploadId: p.UploadId})
	case *s3.CompleteMultipartUploadInput:
		findMade(r, p)
		if !layout.IsUpload(aws.StringValue(p.Key)) {
			abortFailed(r, &s3.AbortMultipartUploadInput{Bucket: p.Bucket, Key: p.Key, UploadId: p.UploadId})
		}
	}
}

func abortFailed(r *request.Request, copied *s3.AbortMultipartUploadInput) {
	r.Handlers.Complete.PushBack(func(r *request.Request) {
		if r.Error != nil {
			abort(r, copied)
		}
	})
}

// abort may be called again for the same copy: parts that were under way during the first call may be left.
func abort(r *request.Request, copied *s3.AbortMultipartUploadInput) {
	handlers := r.Handlers.Copy()
	handlers.Complete.Clear()
	// The handlers of a copy take an answer without content for an error.
	handlers.Unmarshal.Clear()
	handlers.Unmarshal.PushBackNamed(protocol.UnmarshalDiscardBodyHandler)
	// The copy may have failed because its time was up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), abortTime)
	defer cancel()
	// The copy's own error tells what is wrong with the store.
	_, _ = storeOf(r, handlers).AbortMultipartUploadWithContext(ctx, copied)
}

// storeOf is a client for the store that a request goes to.
func storeOf(r *request.Request, handlers request.Handlers) *s3.S3 {
	return &s3.S3{Client: &client.Client{Retryer: r.Retryer, ClientInfo: r.ClientInfo, Config: r.Config, Handlers: handlers}}
}
