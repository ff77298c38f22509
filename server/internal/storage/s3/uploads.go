package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/service/s3"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// Around wraps the engine's driver so that writers of uploads know what is in the bucket.
func Around(engines storagedriver.StorageDriver) storagedriver.StorageDriver { return driver{engines} }

type driver struct{ storagedriver.StorageDriver }

// Writer passes its context to the driver's writer, which uses it for all its requests.
func (d driver) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if !layout.IsUpload(path) {
		return d.StorageDriver.Writer(ctx, path, appendMode)
	}
	k := &known{parts: map[int64]string{}}
	own, err := d.StorageDriver.Writer(k.in(ctx), path, appendMode)
	if err != nil {
		return nil, overtaken(err)
	}
	return &writer{own, d.StorageDriver, k}, nil
}

type knownKey struct{}

// known is what a writer knows from the bucket's answers. Servers of one bucket give the parts of an upload the same
// numbers, and of two parts with one number the last stays. The bucket makes an object only of the parts that it is
// told, by their ETags.
type known struct {
	// parts are the ETags of the parts, by their numbers. It is nil while a committed upload is moved.
	parts map[int64]string
	// object is the ETag of the object that was made of the parts. Another server may replace the object.
	object string
}

func (k *known) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, knownKey{}, k)
}

// note records an answer.
func note(r *request.Request) {
	k, ok := r.Context().Value(knownKey{}).(*known)
	if !ok || k.parts == nil {
		return
	}
	switch a := r.Data.(type) {
	case *s3.ListPartsOutput:
		for _, p := range a.Parts {
			k.add(p.PartNumber, p.ETag)
		}
	case *s3.UploadPartOutput:
		k.add(r.Params.(*s3.UploadPartInput).PartNumber, a.ETag)
	case *s3.UploadPartCopyOutput:
		k.add(r.Params.(*s3.UploadPartCopyInput).PartNumber, a.CopyPartResult.ETag)
	case *s3.CompleteMultipartUploadOutput:
		// The driver also completes an upload to continue after a part that is too small for another one to follow.
		clear(k.parts)
		k.object = bare(a.ETag)
	}
}

func (k *known) add(number *int64, etag *string) { k.parts[aws.Int64Value(number)] = bare(etag) }

// bare is an ETag without the quotes that servers put around it only in some answers.
func bare(etag *string) string { return strings.Trim(aws.StringValue(etag), `"`) }

// require makes reads and copies conditional: they must get the object that the writer has made.
func require(r *request.Request) {
	k, ok := r.Context().Value(knownKey{}).(*known)
	if !ok || k.object == "" {
		return
	}
	etag := aws.String(`"` + k.object + `"`)
	switch p := r.Params.(type) {
	case *s3.CopyObjectInput:
		p.CopySourceIfMatch = etag
	case *s3.UploadPartCopyInput:
		p.CopySourceIfMatch = etag
	case *s3.GetObjectInput:
		p.IfMatch = etag
	}
}

type writer struct {
	storagedriver.FileWriter
	driver storagedriver.StorageDriver
	known  *known
}

// Identity identifies the bytes that the upload is made of.
func (w *writer) Identity() string {
	sum := sha256.New()
	for _, number := range slices.Sorted(maps.Keys(w.known.parts)) {
		fmt.Fprintln(sum, number, w.known.parts[number])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.FileWriter.Write(p)
	return n, overtaken(err)
}

func (w *writer) Commit(ctx context.Context) error { return overtaken(w.FileWriter.Commit(ctx)) }

func (w *writer) Close() error { return overtaken(w.FileWriter.Close()) }

func (w *writer) Cancel(ctx context.Context) error { return overtaken(w.FileWriter.Cancel(ctx)) }

// Move moves only what was committed.
func (w *writer) Move(ctx context.Context, from, to string) error {
	committed := &known{object: w.known.object}
	return overtaken(w.driver.Move(committed.in(ctx), from, to))
}

// overtaken adds layout.ErrOvertaken to an error that is due to another writer.
func overtaken(err error) error {
	reason := err
	if other := (storagedriver.Error{}); errors.As(err, &other) {
		reason = other.Detail
	}
	var answered awserr.Error
	if errors.As(reason, &answered) {
		switch answered.Code() {
		case s3.ErrCodeNoSuchUpload, "InvalidPart", "PreconditionFailed":
			return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
		}
	}
	return err
}
