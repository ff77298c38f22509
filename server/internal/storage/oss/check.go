package oss

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// checkTimeout bounds the check at start, whatever the server does.
const checkTimeout = 15 * time.Second

// Problem is what the check at start found.
type Problem int

const (
	// ProblemOther is an answer that none of the other problems describes.
	ProblemOther Problem = iota
	// ProblemBucket: there is no such bucket.
	ProblemBucket
	// ProblemKey: the access key is unknown or its secret is wrong.
	ProblemKey
	// ProblemDenied: the key is good but may not list the bucket.
	ProblemDenied
	// ProblemRegion: the bucket is in another region.
	ProblemRegion
	// ProblemCredentials: there is neither a key nor a RAM role.
	ProblemCredentials
	// ProblemUnreachable: no answer from the endpoint.
	ProblemUnreachable
)

// CheckError is why a driver could not be created.
type CheckError struct {
	Problem  Problem
	Bucket   string
	Endpoint string
	cause    error
}

func (e *CheckError) Error() string {
	var what string
	switch e.Problem {
	case ProblemBucket:
		what = fmt.Sprintf("bucket %q does not exist at %s", e.Bucket, e.Endpoint)
	case ProblemKey:
		what = fmt.Sprintf("%s refuses the access key", e.Endpoint)
	case ProblemDenied:
		what = fmt.Sprintf("the credentials may not list bucket %q at %s", e.Bucket, e.Endpoint)
	case ProblemRegion:
		what = fmt.Sprintf("bucket %q is not in the region or at the endpoint configured (%s)", e.Bucket, e.Endpoint)
		var answered *oss.ServiceError
		if errors.As(e.cause, &answered) && rightEndpoint(answered) != "" {
			what += ", it is at " + rightEndpoint(answered)
		}
	case ProblemCredentials:
		what = "no credentials"
	case ProblemUnreachable:
		what = fmt.Sprintf("cannot reach %s", e.Endpoint)
	default:
		what = fmt.Sprintf("cannot use bucket %q at %s", e.Bucket, e.Endpoint)
	}
	return "oss: " + what + ": " + explain(e.cause)
}

func (e *CheckError) Unwrap() error { return e.cause }

// check lists one key. This is cheap, and needs only a permission that the
// driver needs anyway.
func (d *driver) check(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("no answer within %s", checkTimeout))
	defer cancel()
	_, err := d.client.ListObjectsV2(ctx, &oss.ListObjectsV2Request{Bucket: &d.bucket, Prefix: oss.Ptr(d.prefix), MaxKeys: 1},
		func(o *oss.Options) { o.RetryMaxAttempts = oss.Ptr(2) })
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return &CheckError{Problem: diagnose(err), Bucket: d.bucket, Endpoint: endpoint, cause: err}
}

func diagnose(err error) Problem {
	var answered *oss.ServiceError
	var role roleError
	switch {
	case errors.As(err, &role):
		return ProblemCredentials
	case !errors.As(err, &answered):
		return ProblemUnreachable
	}
	switch answered.Code {
	case "NoSuchBucket":
		return ProblemBucket
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurityToken", "SecurityTokenExpired":
		return ProblemKey
	case "AccessDenied":
		if rightEndpoint(answered) != "" {
			return ProblemRegion
		}
		return ProblemDenied
	case "InvalidArgument":
		if strings.Contains(answered.Message, "signing region") {
			return ProblemRegion
		}
	}
	return ProblemOther
}

// rightEndpoint is the endpoint OSS names when a bucket was looked for at
// another one. Its code is AccessDenied, as if a permission were missing.
func rightEndpoint(answered *oss.ServiceError) string {
	var document struct{ Endpoint string }
	if xml.Unmarshal(answered.Snapshot, &document) != nil {
		return ""
	}
	return document.Endpoint
}
