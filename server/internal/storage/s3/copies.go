package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go/aws/client"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/private/protocol"
	"github.com/aws/aws-sdk-go/private/protocol/restxml"
	"github.com/aws/aws-sdk-go/service/s3"
)

// abortTime is how long a store has to give up a copy.
const abortTime = 5 * time.Second

var buildRequest = restxml.BuildHandler.Fn

// build has a part that is not copied end the copy in the store. The driver leaves that open: its parts
// are in no listing, and are billed.
func build(r *request.Request) {
	buildRequest(r)
	if part, ok := r.Params.(*s3.UploadPartCopyInput); ok {
		r.Handlers.Complete.PushBack(func(r *request.Request) {
			if r.Error != nil {
				abort(r, part)
			}
		})
	}
}

// abort is also of use after another one: parts that were under way meanwhile may have stayed.
func abort(r *request.Request, part *s3.UploadPartCopyInput) {
	handlers := r.Handlers.Copy()
	handlers.Complete.Clear()
	// Those of a copy take an answer without content for an error.
	handlers.Unmarshal.Clear()
	handlers.Unmarshal.PushBackNamed(protocol.UnmarshalDiscardBodyHandler)
	store := &s3.S3{Client: &client.Client{Retryer: r.Retryer, ClientInfo: r.ClientInfo, Config: r.Config, Handlers: handlers}}
	// The copy may have failed because its time was up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), abortTime)
	defer cancel()
	// The copy's own error tells what is wrong with the store.
	_, _ = store.AbortMultipartUploadWithContext(ctx, &s3.AbortMultipartUploadInput{
		Bucket: part.Bucket, Key: part.Key, UploadId: part.UploadId,
	})
}
