package oss

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// failure is a failed request described in one line. The SDK's own text has
// seven lines and the whole URL.
type failure struct {
	op, key string
	err     error
}

func (f failure) Error() string {
	if f.key == "" {
		return f.op + ": " + explain(f.err)
	}
	return f.op + " " + f.key + ": " + explain(f.err)
}

func (f failure) Unwrap() error { return f.err }

// failed makes a failure of err, if there is one. If ctx has ended, that is the
// reason: the SDK may report the previous attempt instead.
func failed(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return failure{op, key, err}
}

// explain words the cause of err without the layers around it.
func explain(err error) string {
	var answered *oss.ServiceError
	if errors.As(err, &answered) {
		return fmt.Sprintf("%s: %s (HTTP %d, request %s)", answered.Code, answered.Message, answered.StatusCode, answered.RequestID)
	}
	var role roleError
	if errors.As(err, &role) {
		return role.Error()
	}
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err.Error()
	}
	var operation *oss.OperationError
	if errors.As(err, &operation) {
		return operation.Unwrap().Error()
	}
	return err.Error()
}

// noAnswer is the error of an answer that does not come from OSS.
type noAnswer string

func (n noAnswer) Error() string { return "no answer of OSS: " + string(n) }

// HttpStatusCode makes the SDK retry, as after an error of a gateway.
func (noAnswer) HttpStatusCode() int { return http.StatusBadGateway }

// isMissing tells whether err means that an object does not exist. A HEAD
// answer may come without a code.
func isMissing(err error) bool {
	var answered *oss.ServiceError
	return errors.As(err, &answered) && answered.StatusCode == http.StatusNotFound &&
		answered.Code != "NoSuchBucket" && answered.Code != "NoSuchUpload"
}

// hasCode tells whether OSS answered with code.
func hasCode(err error, code string) bool {
	var answered *oss.ServiceError
	return errors.As(err, &answered) && answered.Code == code
}
