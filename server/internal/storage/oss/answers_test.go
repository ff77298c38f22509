package oss

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"container-registry/server/internal/storage/oss/osstest"
)

// pages are what something in front of OSS may answer with.
var pages = map[string]func(http.ResponseWriter){
	"html":      func(w http.ResponseWriter) { fmt.Fprint(w, "<html><body>maintenance</body></html>") },
	"empty":     func(w http.ResponseWriter) { w.Header().Set("Content-Length", "0") },
	"error":     func(w http.ResponseWriter) { fmt.Fprint(w, "<Error><Code>InternalError</Code></Error>") },
	"truncated": func(w http.ResponseWriter) { fmt.Fprint(w, "<ListBucketResult><Name>registry</Name><Conte") },
	"not found": func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
}

// TestNoAnswer lets a gateway in front of the store answer with a page, once and permanently.
func TestNoAnswer(t *testing.T) {
	actions := map[string]struct {
		op string
		do func(context.Context, *Driver) error
	}{
		"list":  {"ListObjectsV2", func(ctx context.Context, d *Driver) error { _, err := d.List(ctx, "/a"); return err }},
		"stat":  {"HeadObject", func(ctx context.Context, d *Driver) error { _, err := d.Stat(ctx, "/a/1"); return err }},
		"read":  {"GetObject", func(ctx context.Context, d *Driver) error { _, err := d.GetContent(ctx, "/a/1"); return err }},
		"write": {"PutObject", func(ctx context.Context, d *Driver) error { return d.PutContent(ctx, "/a/2", nil) }},
	}
	for name, action := range actions {
		for _, kind := range []string{"html", "not found"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				t.Parallel() // most of the time goes into backing off
				s, params := startOSS(t)
				d := newTestDriver(t, params)
				put(t, d, "/a/1")
				page := &osstest.Fault{Page: pages[kind]}
				s.SetFault(once(action.op, page))
				if err := action.do(t.Context(), d); err != nil {
					t.Errorf("it is not asked again: %v", err)
				}
				s.SetFault(func(r osstest.Request) *osstest.Fault {
					if r.Op == action.op {
						return page
					}
					return nil
				})
				err := action.do(t.Context(), d)
				if err == nil || !strings.Contains(err.Error(), "no answer of OSS") {
					t.Errorf("that is taken for an answer: %v", err)
				}
			})
		}
	}
}

// TestNoList has something other than a list as the second page of a list, although it has a request ID like OSS's own.
func TestNoList(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	for i := range pageSize + 1 {
		put(t, d, fmt.Sprintf("/a/%04d", i))
	}
	for kind, page := range pages {
		s.SetFault(secondList(&osstest.Fault{Page: func(w http.ResponseWriter) {
			w.Header().Set("x-oss-request-id", "5C3D9175B6FC201293AD4890")
			page(w)
		}}))
		if names, err := d.List(t.Context(), "/a"); err == nil {
			t.Errorf("%s: %d names", kind, len(names))
		}
	}
}

// secondList makes all pages of a list but the first fail.
func secondList(fault *osstest.Fault) osstest.FaultFunc {
	var lists atomic.Int32
	return func(r osstest.Request) *osstest.Fault {
		if r.Op != "ListObjectsV2" || lists.Add(1) == 1 {
			return nil
		}
		return fault
	}
}

// TestBrokenOff has lists that say that there is more, but not where: the next request would begin the list anew.
func TestBrokenOff(t *testing.T) {
	answer := func(op, content string) osstest.FaultFunc {
		return func(r osstest.Request) *osstest.Fault {
			if r.Op != op {
				return nil
			}
			return &osstest.Fault{Page: func(w http.ResponseWriter) {
				w.Header().Set("x-oss-request-id", "5C3D9175B6FC201293AD4890")
				fmt.Fprint(w, content)
			}}
		}
	}
	for name, test := range map[string]struct {
		op, content string
		do          func(context.Context, *Driver) error
	}{
		"objects": {"ListObjectsV2", "<ListBucketResult><Name>registry</Name><IsTruncated>true</IsTruncated></ListBucketResult>",
			func(ctx context.Context, d *Driver) error { _, err := d.List(ctx, "/a"); return err }},
		"uploads": {"ListMultipartUploads", "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>",
			func(ctx context.Context, d *Driver) error { return d.Delete(ctx, "/a") }},
		"parts": {"ListParts", "<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>",
			func(ctx context.Context, d *Driver) error {
				_, err := d.StorageDriver.(*driver).parts(ctx, "a", "1")
				return err
			}},
	} {
		t.Run(name, func(t *testing.T) {
			s, params := startOSS(t)
			s.SetFault(answer(test.op, test.content))
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			if err := test.do(ctx, newTestDriver(t, params)); err == nil || !strings.Contains(err.Error(), "no answer of OSS") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestUndeleted has a file with others below it. The deletion must fail if OSS does not delete the file, and only then.
func TestUndeleted(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	var answers atomic.Int32
	for _, kept := range []bool{true, false} {
		put(t, d, "/a")
		put(t, d, "/a/1")
		answers.Store(0)
		s.SetFault(func(r osstest.Request) *osstest.Fault {
			if r.Op != "DeleteMultipleObjects" || !kept || answers.Add(1) == 1 {
				return nil
			}
			return &osstest.Fault{Page: func(w http.ResponseWriter) {
				w.Header().Set("x-oss-request-id", "5C3D9175B6FC201293AD4890")
				fmt.Fprint(w, "<DeleteResult></DeleteResult>")
			}}
		})
		err := d.Delete(t.Context(), "/a")
		if kept != (err != nil) {
			t.Errorf("kept: %t, %v", kept, err)
		}
	}
}
