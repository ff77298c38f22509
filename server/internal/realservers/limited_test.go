package realservers

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

var etags = regexp.MustCompile("<ETag>.*</ETag>")

// TestCheckLimitedS3 has a gateway in front of S3 that does not let everything through.
func TestCheckLimitedS3(t *testing.T) {
	s := startS3(t)
	target, err := url.Parse(s.values["endpoint"])
	if err != nil {
		t.Fatal(err)
	}
	through := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // which is signed
	}}
	throttle := func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
		io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
	}
	for name, test := range map[string]struct {
		refuses func(w http.ResponseWriter, r *http.Request, n int32) bool
		more    string
		want    string
		good    bool
	}{
		"no copies in parts": {
			refuses: noPartCopies,
			want:    `cannot copy in parts in s3 bucket "images" at AT: layers of more than storage.s3.multipartcopythresholdsize are copied so; allow that, or set it to 5368709120, which copies smaller ones at once (AccessDenied: no copies)`,
		},
		"no word about copies in parts": {
			refuses: emptyPartCopies,
			want:    `cannot copy in parts in s3 bucket "images" at AT: layers of more than storage.s3.multipartcopythresholdsize are copied so; allow that, or set it to 5368709120, which copies smaller ones at once (EOF)`,
		},
		"no copies in parts, nor asked for": {
			refuses: noPartCopies, more: ", multipartcopythresholdsize: 5368709120}",
			want: `s3 bucket "images" at AT can be read and written`, good: true,
		},
		"other ETags of what is completed": {
			refuses: func(w http.ResponseWriter, r *http.Request, _ int32) bool {
				if r.Method != http.MethodPost || r.URL.Query().Get("uploadId") == "" {
					return false
				}
				answer := httptest.NewRecorder()
				through.ServeHTTP(answer, r)
				io.WriteString(w, etags.ReplaceAllString(answer.Body.String(), "<ETag>another</ETag>"))
				return true
			},
			want: `cannot upload to s3 bucket "images" at AT: its ETags are not those of S3: it does not find what was uploaded by the one that it gave for it`,
		},
		"nothing can be completed": {
			refuses: func(w http.ResponseWriter, r *http.Request, _ int32) bool {
				refused := r.Method == http.MethodPost && r.URL.Query().Get("uploadId") != ""
				if refused {
					w.WriteHeader(http.StatusForbidden)
					io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>not completed</Message></Error>`)
				}
				return refused
			},
			want: `cannot upload to s3 bucket "images" at AT: it may be read but not written; allow the credentials s3:PutObject, s3:ListBucketMultipartUploads, s3:ListMultipartUploadParts and s3:AbortMultipartUpload (AccessDenied: not completed)`,
		},
		"throttled": {
			refuses: func(w http.ResponseWriter, _ *http.Request, _ int32) bool { throttle(w); return true },
			want:    `cannot list s3 bucket "images" at AT: it is overloaded or out of order; try again later (SlowDown: Please reduce your request rate.)`,
		},
		"throttled now and then": {
			refuses: func(w http.ResponseWriter, _ *http.Request, n int32) bool {
				if n%5 == 0 {
					throttle(w)
				}
				return n%5 == 0
			},
			want: `s3 bucket "images" at AT can be read and written`, good: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !test.refuses(w, r, requests.Add(1)) {
					through.ServeHTTP(w, r)
				}
			}))
			defer gateway.Close()
			storage := s3Storage("images", s.values["accesskey"], s.values["secretkey"], gateway.URL)
			if test.more != "" {
				storage = strings.TrimSuffix(storage, "}") + test.more
			}
			expect(t, nil, gateway.URL, map[string]try{"check": {storage: []string{storage}, want: test.want, good: test.good}})
		})
	}
	// The server keeps uploads that were not completed in a folder of its own.
	for _, names := range []string{"[^.]*", ".sgwtmp/multipart/*/*"} {
		if left, err := filepath.Glob(filepath.Join(s.folder, "data", "images", names)); err != nil || len(left) > 0 {
			t.Errorf("%q is left, %v", left, err)
		}
	}
}

func noPartCopies(w http.ResponseWriter, r *http.Request, _ int32) bool {
	if !r.URL.Query().Has("partNumber") || r.Header.Get("X-Amz-Copy-Source") == "" {
		return false
	}
	w.WriteHeader(http.StatusForbidden)
	io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>no copies</Message></Error>`)
	return true
}

// emptyPartCopies makes the store treat the copy of a part as a part without content, like a store that
// does not support such copies.
func emptyPartCopies(w http.ResponseWriter, r *http.Request, _ int32) bool {
	if !r.URL.Query().Has("partNumber") || r.Header.Get("X-Amz-Copy-Source") == "" {
		return false
	}
	w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)
	return true
}
