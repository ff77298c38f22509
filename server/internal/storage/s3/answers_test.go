package s3

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
)

// open makes the engine's driver for a store with the given answers.
func open(t *testing.T, answer http.HandlerFunc) storagedriver.StorageDriver {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	driver, err := factory.Create(t.Context(), "s3", map[string]any{
		"bucket": "images", "region": "us-east-1", "regionendpoint": server.URL, "forcepathstyle": true, "secure": false,
		"accesskey": "key", "secretkey": "secret", "multipartcopythresholdsize": 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

const header = `<?xml version="1.0" encoding="UTF-8"?>`

// genuine answers each request of the driver as S3 does.
func genuine(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	w.Header().Set("ETag", `"1"`)
	switch {
	case isList(r) && query.Get("continuation-token")+query.Get("start-after") == "":
		fmt.Fprint(w, header+`<ListBucketResult><Name>images</Name><IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken><Contents><Key>a/1</Key><Size>20</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>`)
	case isList(r):
		fmt.Fprint(w, header+`<ListBucketResult><Name>images</Name><IsTruncated>false</IsTruncated><Contents><Key>a/2</Key><Size>20</Size><LastModified>2026-01-01T00:00:00Z</LastModified></Contents></ListBucketResult>`)
	case r.Method == http.MethodPost && query.Has("delete"):
		fmt.Fprint(w, header+`<DeleteResult><Deleted><Key>a/1</Key></Deleted></DeleteResult>`)
	case r.Method == http.MethodPost && query.Has("uploads"):
		fmt.Fprint(w, header+`<InitiateMultipartUploadResult><UploadId>7</UploadId></InitiateMultipartUploadResult>`)
	case r.Method == http.MethodPost:
		fmt.Fprint(w, header+`<CompleteMultipartUploadResult><ETag>"1"</ETag></CompleteMultipartUploadResult>`)
	case query.Has("uploads"):
		fmt.Fprint(w, header+`<ListMultipartUploadsResult><Bucket>images</Bucket><IsTruncated>false</IsTruncated><Upload><Key>a/1</Key><UploadId>7</UploadId></Upload></ListMultipartUploadsResult>`)
	case r.Method == http.MethodGet && query.Has("uploadId"):
		fmt.Fprint(w, header+`<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>`)
	case r.Method == http.MethodPut && query.Has("partNumber") && r.Header.Get("X-Amz-Copy-Source") != "":
		fmt.Fprint(w, header+`<CopyPartResult><ETag>"1"</ETag></CopyPartResult>`)
	case r.Method == http.MethodPut && r.Header.Get("X-Amz-Copy-Source") != "":
		fmt.Fprint(w, header+`<CopyObjectResult><ETag>"1"</ETag></CopyObjectResult>`)
	case r.Method == http.MethodHead:
		w.Header().Set("Content-Length", size(r))
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
	case r.Method == http.MethodGet:
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		fmt.Fprint(w, "content")
	}
}

func size(r *http.Request) string {
	if strings.HasSuffix(r.URL.Path, "/small") {
		return "5"
	}
	return "20"
}

// actions are all that a registry does, each with the request that gets something other than an answer of S3.
var actions = map[string]struct {
	asks func(*http.Request) bool
	do   func(context.Context, storagedriver.StorageDriver) error
}{
	"list": {isList, func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.List(ctx, "/a")
		return err
	}},
	"walk":    {isList, walk},
	"walk on": {func(r *http.Request) bool { return r.URL.Query().Has("continuation-token") }, walk},
	"read": {is(http.MethodGet, ""), func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.GetContent(ctx, "/a/1")
		return err
	}},
	"stat": {func(r *http.Request) bool { return r.Method == http.MethodHead || isList(r) }, func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.Stat(ctx, "/a/1")
		return err
	}},
	"write": {is(http.MethodPut, ""), func(ctx context.Context, d storagedriver.StorageDriver) error {
		return d.PutContent(ctx, "/a/1", []byte("content"))
	}},
	"find what to delete": {isList, remove},
	"delete":              {is(http.MethodPost, "delete"), remove},
	"copy": {is(http.MethodPut, ""), func(ctx context.Context, d storagedriver.StorageDriver) error {
		return d.Move(ctx, "/a/small", "/a/2")
	}},
	"begin to copy parts": {is(http.MethodPost, "uploads"), move},
	"copy a part":         {is(http.MethodPut, "partNumber"), move},
	"copy no more parts":  {is(http.MethodPost, "uploadId"), move},
	"begin to upload":     {is(http.MethodPost, "uploads"), upload(false)},
	"upload a part":       {is(http.MethodPut, "partNumber"), upload(false)},
	"upload no more":      {is(http.MethodPost, "uploadId"), upload(false)},
	"go on to upload":     {is(http.MethodGet, "uploads"), upload(true)},
	"list parts":          {is(http.MethodGet, "uploadId"), upload(true)},
}

func isList(r *http.Request) bool { return r.URL.Query().Get("list-type") == "2" }

// is matches requests with a key in their query or, without a key, those whose query does not name an operation.
func is(method, key string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		query := r.URL.Query()
		query.Del("x-id")
		return r.Method == method && (key == "" && len(query) == 0 || query.Has(key))
	}
}

func walk(ctx context.Context, d storagedriver.StorageDriver) error {
	return d.Walk(ctx, "/a", func(storagedriver.FileInfo) error { return nil })
}

func remove(ctx context.Context, d storagedriver.StorageDriver) error { return d.Delete(ctx, "/a") }

func move(ctx context.Context, d storagedriver.StorageDriver) error {
	return d.Move(ctx, "/a/1", "/a/2")
}

func upload(more bool) func(context.Context, storagedriver.StorageDriver) error {
	return func(ctx context.Context, d storagedriver.StorageDriver) error {
		writer, err := d.Writer(ctx, "/a/1", more)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(writer, "content"); err != nil {
			return err
		}
		return writer.Commit(ctx)
	}
}

// TestNoAnswer lets a gateway in front of the store answer with a page, once and permanently.
func TestNoAnswer(t *testing.T) {
	pages := map[string]http.HandlerFunc{
		"html": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><body>maintenance</body></html>")
		},
		"empty": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "0") },
	}
	for name, action := range actions {
		for kind, page := range pages {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel()
				var shown, most atomic.Int32
				driver := open(t, func(w http.ResponseWriter, r *http.Request) {
					if action.asks(r) && shown.Add(1) <= most.Load() {
						page(w, r)
						return
					}
					genuine(w, r)
				})
				if err := action.do(t.Context(), driver); err != nil || shown.Load() == 0 {
					t.Fatalf("%d requests: %v", shown.Load(), err)
				}
				shown.Store(0)
				most.Store(1)
				if err := action.do(t.Context(), driver); err != nil {
					t.Errorf("it is not asked again: %v", err)
				}
				shown.Store(0)
				most.Store(1000)
				if err := action.do(t.Context(), driver); err == nil {
					t.Error("that is taken for an answer")
				}
			})
		}
	}
}
