package azure

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/wait"
)

const (
	codeHeader = "X-Ms-Error-Code"

	// noFile is added to a code that the driver would take for that of a missing file.
	noFile = " (not of a file)"
	// noAnswer is the code for a page of something in front of Azure. Azure gives its own answers a request ID.
	noAnswer = "NoAnswerOfAzure"
	// copyFailed is the code for a copy that the store gave up.
	copyFailed = "CopyFailed"
)

// corrections correct the answers to what the driver does with one path. The driver makes its client itself, but the
// client asks the context whether to retry. It shows each answer to that function, and uses the answer as the function
// leaves it.
type corrections struct {
	driver storagedriver.StorageDriver
	path   string
	// gone says that a missing blob is no error for what is still to be deleted.
	gone bool
	// sending is the number of requests that are being sent.
	sending atomic.Int32
}

func (c *corrections) in(ctx context.Context) context.Context {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:      func(httptrace.GotConnInfo) { c.sending.Add(1) },
		WroteRequest: func(httptrace.WroteRequestInfo) { c.sending.Add(-1) },
	})
	return policy.WithRetryOptions(ctx, policy.RetryOptions{ShouldRetry: func(answer *http.Response, err error) bool {
		if err == nil {
			c.correct(answer)
		}
		return isPassing(answer, err)
	}})
}

// isPassing says whether a retry may help. It is the client's own rule.
func isPassing(answer *http.Response, err error) bool {
	return err != nil || slices.Contains([]int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, answer.StatusCode)
}

func (c *corrections) correct(answer *http.Response) {
	if answer.StatusCode < http.StatusBadRequest {
		switch {
		case answer.Header.Get("X-Ms-Request-Id") == "":
			set(answer, http.StatusNonAuthoritativeInfo, noAnswer)
		case isFailedCopy(answer):
			// The client then begins the copy anew.
			set(answer, http.StatusServiceUnavailable, copyFailed)
		}
		return
	}
	switch code := codeOf(answer); code {
	case bloberror.ContainerNotFound, bloberror.ResourceNotFound:
		answer.Header.Set(codeHeader, string(code)+noFile)
	case bloberror.CannotVerifyCopySource:
		if answer.StatusCode != http.StatusNotFound {
			answer.Header.Set(codeHeader, string(code)+noFile)
		}
	case bloberror.BlobNotFound:
		if answer.Request.Method != http.MethodDelete {
			return
		}
		if c.gone {
			set(answer, http.StatusAccepted, "")
		}
		// The path may be a folder. The driver then deletes all files that it lists in it, and some may have gone meanwhile.
		c.gone = true
	case bloberror.AppendPositionConditionNotMet, bloberror.ConditionNotMet:
		if etag, ok := c.appended(answer.Request); ok {
			set(answer, http.StatusCreated, "")
			answer.Header.Set("Etag", etag)
		}
	}
}

// set changes the status and the code of an answer.
func set(answer *http.Response, status int, code string) {
	answer.StatusCode = status
	answer.Status = fmt.Sprint(status, " ", http.StatusText(status))
	answer.Header.Set(codeHeader, code)
}

func codeOf(answer *http.Response) bloberror.Code {
	var said *azcore.ResponseError
	if !errors.As(runtime.NewResponseError(answer), &said) {
		return ""
	}
	return bloberror.Code(said.ErrorCode)
}

// isFailedCopy says whether an answer to the beginning of a copy tells that the copy failed. The driver looks at the
// status of a copy only while it is pending, and then deletes the source.
func isFailedCopy(answer *http.Response) bool {
	if asked(answer.Request, "x-ms-copy-source") == "" {
		return false
	}
	switch blob.CopyStatusType(answer.Header.Get("X-Ms-Copy-Status")) {
	case blob.CopyStatusTypeFailed, blob.CopyStatusTypeAborted:
		return true
	default:
		return false
	}
}

// appended says whether the bytes to append are already the end of the file, because the answer to an earlier
// attempt was lost. Their length is not enough to go by: somebody else may have appended as many bytes.
func (c *corrections) appended(r *http.Request) (etag string, ok bool) {
	at, err := strconv.ParseInt(asked(r, "x-ms-blob-condition-appendpos"), 10, 64)
	body, isWhole := r.Body.(io.ReadSeeker)
	if err != nil || !isWhole || !c.sent(r.Context()) {
		return "", false
	}
	ctx := policy.WithRetryOptions(r.Context(), policy.RetryOptions{ShouldRetry: func(answer *http.Response, err error) bool {
		if err == nil {
			etag = answer.Header.Get("Etag")
		}
		return isPassing(answer, err)
	}})
	stored, err := c.driver.Reader(ctx, c.path, at)
	if err != nil {
		return "", false
	}
	defer stored.Close()
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return "", false
	}
	sum, err := sumOf(body)
	if err != nil {
		return "", false
	}
	there, err := sumOf(io.LimitReader(stored, r.ContentLength+1))
	return etag, err == nil && there == sum
}

// sent waits until the client no longer reads the body: the store may answer before it has received all of it.
func (c *corrections) sent(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for c.sending.Load() > 0 {
		if wait.For(ctx, 10*time.Millisecond) != nil {
			return false
		}
	}
	return true
}

// asked is a header of a request. The client writes the names of its headers in lower case.
func asked(r *http.Request, name string) string { return strings.Join(r.Header[name], "") }

func sumOf(content io.Reader) (sum [sha256.Size]byte, err error) {
	hash := sha256.New()
	_, err = io.Copy(hash, content)
	return [sha256.Size]byte(hash.Sum(nil)), err
}
