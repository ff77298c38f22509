package s3

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/distribution/distribution/v3"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// bucket is a bucket with one upload.
type bucket struct {
	mu    sync.Mutex
	parts map[string]string
	sizes map[string]int
	// size is that of the object that was made of the upload. Another server may have replaced the object.
	size     int
	replaced bool
	// required are the ETags of objects that are to be read or copied.
	required []string
}

// made is the ETag of the object that is made of the parts.
const made = `"made-2"`

func (b *bucket) add(number string, content []byte) {
	b.parts[number], b.sizes[number] = fmt.Sprintf("%x", md5.Sum(content)), len(content)
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	query := r.URL.Query()
	number := query.Get("partNumber")
	copied := r.Header.Get("X-Amz-Copy-Source") != ""
	if etag := r.Header.Get("If-Match") + r.Header.Get("X-Amz-Copy-Source-If-Match"); copied || etag != "" {
		b.required = append(b.required, etag)
		if b.replaced {
			w.WriteHeader(http.StatusPreconditionFailed)
			fmt.Fprint(w, header+`<Error><Code>PreconditionFailed</Code></Error>`)
			return
		}
	}
	switch {
	case r.Method == http.MethodGet && query.Has("uploads"):
		fmt.Fprintf(w, header+`<ListMultipartUploadsResult><Bucket>images</Bucket><IsTruncated>false</IsTruncated><Upload><Key>%s</Key><UploadId>7</UploadId></Upload></ListMultipartUploadsResult>`, query.Get("prefix"))
	case r.Method == http.MethodGet && query.Has("uploadId"):
		fmt.Fprint(w, header+`<ListPartsResult><IsTruncated>false</IsTruncated>`)
		for _, number := range slices.Sorted(maps.Keys(b.parts)) {
			// Some servers put no quotes around the ETag.
			fmt.Fprintf(w, `<Part><PartNumber>%s</PartNumber><ETag>%s</ETag><Size>%d</Size></Part>`, number, b.parts[number], b.sizes[number])
		}
		fmt.Fprint(w, `</ListPartsResult>`)
	case number != "" && copied:
		b.parts[number], b.sizes[number] = "1", b.size
		genuine(w, r)
	case number != "":
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		b.add(number, body)
		w.Header().Set("ETag", `"`+b.parts[number]+`"`)
	case r.Method == http.MethodPost && query.Has("uploadId"):
		body, _ := io.ReadAll(r.Body)
		for _, etag := range b.parts {
			if !strings.Contains(string(body), etag) {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, header+`<Error><Code>InvalidPart</Code></Error>`)
				return
			}
		}
		clear(b.parts)
		fmt.Fprintf(w, header+`<CompleteMultipartUploadResult><ETag>%s</ETag></CompleteMultipartUploadResult>`, made)
	case r.Method == http.MethodHead:
		w.Header().Set("Content-Length", strconv.Itoa(b.size))
		w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
	default:
		genuine(w, r)
	}
}

const partSize = 5 << 20

var (
	path = layout.UploadPath("app", "1")
	blob = "/blob"
)

// uploading returns a driver for a bucket that has no part yet.
func uploading(t *testing.T) (storagedriver.StorageDriver, *bucket) {
	b := &bucket{parts: map[string]string{}, sizes: map[string]int{}}
	return Around(open(t, b.ServeHTTP)), b
}

// opened opens a writer, and writes the content to it if there is any.
func opened(t *testing.T, d storagedriver.StorageDriver, content []byte) *writer {
	t.Helper()
	w, err := d.Writer(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 0 {
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	return w.(*writer)
}

// TestIdentity distinguishes the bytes of an upload from those that a late writer put in their place, and expects a
// blob to be made only of the former.
func TestIdentity(t *testing.T) {
	d, _ := uploading(t)
	first := opened(t, d, bytes.Repeat([]byte("a"), partSize))
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	late, last := opened(t, d, []byte("x")), opened(t, d, []byte("b"))
	if first.Identity() != last.Identity() {
		t.Errorf("what was closed is %q, and what is opened %q", first.Identity(), last.Identity())
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	ending := opened(t, d, nil)
	if first.Identity() == last.Identity() || ending.Identity() != last.Identity() {
		t.Errorf("then it is %q, and what is opened %q", last.Identity(), ending.Identity())
	}
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	if there := opened(t, d, nil); there.Size() != last.Size() || there.Identity() == last.Identity() {
		t.Errorf("%d bytes of %d, and the same: %q", there.Size(), last.Size(), there.Identity())
	}
	if err := ending.Commit(t.Context()); !errors.Is(err, distribution.ErrBlobUploadUnknown) {
		t.Errorf("a blob is made of others: %v", err)
	}
}

// TestReplaced lets another server replace the object that was made of an upload's parts.
func TestReplaced(t *testing.T) {
	for name, test := range map[string]struct {
		// sent are the sizes of the parts in the bucket.
		sent []int
		size int
		do   func(context.Context, *writer) error
	}{
		"small, moved":        {[]int{partSize}, 5, commitAndMove},
		"large, moved":        {[]int{partSize}, 20, commitAndMove},
		"small, gone on with": {[]int{1}, 1, write},
		"large, gone on with": {[]int{partSize, partSize, 1}, 2*partSize + 1, write},
	} {
		for kind, replaced := range map[string]bool{"": false, ", replaced": true} {
			t.Run(name+kind, func(t *testing.T) {
				d, b := uploading(t)
				b.size, b.replaced = test.size, replaced
				for i, size := range test.sent {
					b.add(strconv.Itoa(i+1), make([]byte, size))
				}
				w := opened(t, d, nil)
				err := test.do(t.Context(), w)
				if replaced != errors.Is(err, distribution.ErrBlobUploadUnknown) || !replaced && err != nil {
					t.Error(err)
				}
				if !slices.Equal(b.required, []string{made}) {
					t.Errorf("%q were to be read", b.required)
				}
				if there := opened(t, d, nil).Identity(); !replaced && there != w.Identity() {
					t.Errorf("then it is %q, and what is opened %q", w.Identity(), there)
				}
			})
		}
	}
}

func write(_ context.Context, w *writer) error {
	if _, err := w.Write([]byte("more")); err != nil {
		return err
	}
	return w.Close()
}

func commitAndMove(ctx context.Context, w *writer) error {
	if err := w.Commit(ctx); err != nil {
		return err
	}
	return w.Move(ctx, path, blob)
}

// TestLostAnswer lets the store make the object, loses the answer, and has a store that no longer knows the upload when
// it is asked again.
func TestLostAnswer(t *testing.T) {
	part := bytes.Repeat([]byte("a"), partSize)
	sum := md5.Sum(part)
	whole := fmt.Sprintf(`"%x-1"`, md5.Sum(sum[:]))
	for name, test := range map[string]struct {
		// lost says whether the store was asked before, and the answer was lost.
		lost bool
		// there is the ETag of the object, if there is one.
		there string
		made  bool
	}{
		"made":                 {true, whole, true},
		"of others":            {true, `"` + strings.Repeat("0", 32) + `-1"`, false},
		"no object":            {true, "", false},
		"ended by another one": {false, whole, false},
	} {
		t.Run(name, func(t *testing.T) {
			// The object is small enough to be copied with one request.
			b := &bucket{parts: map[string]string{}, sizes: map[string]int{}, size: 5}
			asked := 0
			d := Around(open(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost && r.URL.Query().Has("uploadId"):
					if asked++; asked == 1 && test.lost {
						panic(http.ErrAbortHandler)
					}
					w.WriteHeader(http.StatusNotFound)
					fmt.Fprint(w, header+`<Error><Code>NoSuchUpload</Code></Error>`)
				case r.Method == http.MethodHead && test.there == "":
					w.WriteHeader(http.StatusNotFound)
				case r.Method == http.MethodHead:
					w.Header().Set("ETag", test.there)
					b.ServeHTTP(w, r)
				default:
					b.ServeHTTP(w, r)
				}
			}))
			w := opened(t, d, part)
			err := commitAndMove(t.Context(), w)
			if test.made != (err == nil) || !test.made && !errors.Is(err, distribution.ErrBlobUploadUnknown) {
				t.Errorf("made: %t, %v", test.made, err)
			}
			if test.made && !slices.Equal(b.required, []string{whole}) {
				t.Errorf("%q were to be copied", b.required)
			}
		})
	}
}

// TestLostAnswerToCopy loses the answer to the end of a copy in parts.
func TestLostAnswerToCopy(t *testing.T) {
	// The store gives one ETag to each part.
	sum, err := hex.DecodeString(strings.Repeat("1", 32))
	if err != nil {
		t.Fatal(err)
	}
	asked, aborted := 0, 0
	d := open(t, func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		switch {
		case r.Method == http.MethodPost && query.Has("uploadId"):
			if asked++; asked == 1 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, header+`<Error><Code>NoSuchUpload</Code></Error>`)
		case r.Method == http.MethodDelete && query.Has("uploadId"):
			aborted++
		case query.Has("partNumber"):
			fmt.Fprintf(w, header+`<CopyPartResult><ETag>"%x"</ETag></CopyPartResult>`, sum)
		case r.Method == http.MethodHead && strings.HasSuffix(r.URL.Path, "/2"):
			w.Header().Set("ETag", fmt.Sprintf(`"%x-1"`, md5.Sum(sum)))
			w.Header().Set("Content-Length", size(r))
			w.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		default:
			genuine(w, r)
		}
	})
	if err := move(t.Context(), d); err != nil || asked != 2 || aborted != 0 {
		t.Errorf("asked %d times, aborted %d times: %v", asked, aborted, err)
	}
}
