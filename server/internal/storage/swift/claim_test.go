package swift

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/layout"
)

// claimed makes an upload as a client leaves it before the request that ends it.
func claimed(t *testing.T, parameters map[string]any) {
	t.Helper()
	d := open(t, parameters)
	if err := d.PutContent(t.Context(), uploadDir+"/startedat", []byte("now")); err != nil {
		t.Fatal(err)
	}
	w := writerAt(t, d, uploadPath, false)
	copyTo(t, w, randomContent(1, 3*mib+1))
	closeWriter(t, w)
}

// later is a driver to which all uploads in the container look abandoned.
func later(t *testing.T, parameters map[string]any) *driver {
	t.Helper()
	return aged(open(t, parameters))
}

// aged makes uploads look abandoned to a driver. It allows for Swift's times, which are rounded up to seconds.
func aged(d *driver) *driver {
	d.abandonment = -time.Minute
	return d
}

// discards are the ways in which an upload that did not become a blob is deleted.
var discards = map[string]func(ctx context.Context, d *driver) error{
	"deleted": func(ctx context.Context, d *driver) error { return d.Delete(ctx, uploadDir) },
	"cancelled": func(ctx context.Context, d *driver) error {
		w, err := d.Writer(ctx, uploadPath, true)
		if err != nil {
			return err
		}
		if err := w.Cancel(ctx); err != nil {
			return err
		}
		return d.Delete(ctx, uploadDir)
	},
}

// TestClaimLeft lets a server die, or lose its store, between its claim and the manifest. Until it counts as abandoned,
// the upload belongs to that request. After that it is deleted as a whole.
func TestClaimLeft(t *testing.T) {
	ctx := t.Context()
	for cause, leave := range map[string]func(t *testing.T, parameters map[string]any){
		"killed": func(t *testing.T, parameters map[string]any) {
			d := open(t, parameters)
			w := writerAt(t, d, uploadPath, true)
			if other, err := d.claim(ctx, w.upload.ID, w.id); err != nil || other != nil {
				t.Fatal(other, err)
			}
		},
		"store away": func(t *testing.T, parameters map[string]any) {
			proxy := newFaultyProxy(t)
			w := writerAt(t, quick(open(t, proxy.through(t, parameters))), uploadPath, true)
			proxy.set(func(rw http.ResponseWriter, r *http.Request) bool {
				return r.URL.Query().Has("multipart-manifest") && refuse(http.MethodPut, "")(rw, r) ||
					refuse(http.MethodDelete, "/committed")(rw, r)
			})
			if err := w.Commit(ctx); err == nil {
				t.Fatal("could be committed")
			}
			if err := w.Cancel(ctx); !errors.Is(err, layout.ErrOvertaken) {
				t.Errorf("cancelled at once: %v", err)
			}
		},
	} {
		for how, discard := range discards {
			t.Run(cause+", "+how, func(t *testing.T) {
				parameters := with(newContainer(t), "chunksize", mib)
				claimed(t, parameters)
				leave(t, parameters)

				d := open(t, parameters)
				if err := writerAt(t, d, uploadPath, true).Commit(ctx); !errors.Is(err, layout.ErrOvertaken) {
					t.Errorf("committed: %v", err)
				}
				before := stored(t, d)
				if err := discard(ctx, d); !errors.Is(err, layout.ErrOvertaken) {
					t.Errorf("discarded at once: %v", err)
				}
				if after := stored(t, d); !maps.Equal(before, after) {
					t.Errorf("stored are %v, want %v", after, before)
				}
				if err := discard(ctx, later(t, parameters)); err != nil {
					t.Error(err)
				}
				wantEmpty(t, d)
			})
		}
	}
}

// suspended is a writer that stands still just before Swift gets its manifest. goOn lets it continue, and returns the
// result of its Commit.
func suspended(t *testing.T, parameters map[string]any) (d *driver, w *writer, goOn func() error) {
	t.Helper()
	proxy := newFaultyProxy(t)
	d = open(t, proxy.through(t, parameters))
	d.limits.segments = 2
	w = writerAt(t, d, uploadPath, true)
	reached, resume, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	reach, free := sync.OnceFunc(func() { close(reached) }), sync.OnceFunc(func() { close(resume) })
	t.Cleanup(free)
	proxy.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("multipart-manifest") == "put" && strings.HasSuffix(r.URL.Path, uploadPath) {
			reach()
			<-resume
		}
		return false
	})
	go func() { done <- w.Commit(t.Context()) }()
	select {
	case <-reached:
	case err := <-done:
		t.Fatalf("committed: %v", err)
	}
	return d, w, func() error {
		free()
		return <-done
	}
}

// TestDiscardedMeanwhile lets another server discard an upload whose manifest is about to be written.
func TestDiscardedMeanwhile(t *testing.T) {
	ctx := t.Context()
	for how, discard := range discards {
		t.Run("at once, "+how, func(t *testing.T) {
			parameters := with(newContainer(t), "chunksize", mib)
			claimed(t, parameters)
			d, _, goOn := suspended(t, parameters)
			if err := discard(ctx, open(t, parameters)); !errors.Is(err, layout.ErrOvertaken) {
				t.Errorf("discarded: %v", err)
			}
			if err := goOn(); err != nil {
				t.Fatal(err)
			}
			if err := d.Move(ctx, uploadPath, blobPath); err != nil {
				t.Fatal(err)
			}
			if err := d.Delete(ctx, uploadDir); err != nil {
				t.Fatal(err)
			}
			wantFile(t, d, blobPath, randomContent(1, 3*mib+1))
			if err := d.Delete(ctx, blobDir); err != nil {
				t.Fatal(err)
			}
			wantEmpty(t, d)
		})
	}
	for name, discard := range map[string]func(t *testing.T, parameters map[string]any, u *upload){
		"a day later": func(t *testing.T, parameters map[string]any, _ *upload) {
			if err := later(t, parameters).Delete(ctx, uploadDir); err != nil {
				t.Fatal(err)
			}
		},
		// Swift checks the manifests that a manifest names, but not their segments.
		"a day later, and cut off": func(t *testing.T, parameters map[string]any, u *upload) {
			d := later(t, parameters)
			if free, err := d.claimDiscarded(ctx, uploadPath, u.ID); err != nil || !free {
				t.Fatal(free, err)
			}
			for _, s := range u.Segments {
				if err := d.deleteObject(ctx, d.segmentName(u.ID, s)); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			parameters := with(newContainer(t), "chunksize", mib)
			claimed(t, parameters)
			d, w, goOn := suspended(t, parameters)
			discard(t, parameters, w.upload)
			if err := goOn(); !errors.Is(err, layout.ErrOvertaken) {
				t.Errorf("committed: %v", err)
			}
			if err := w.Cancel(ctx); err != nil {
				t.Error(err)
			}
			if err := aged(d).Delete(ctx, uploadDir); err != nil && !isPathNotFound(err) {
				t.Error(err)
			}
			wantEmpty(t, d)
		})
	}
}

// TestLateRecord lets a writer that was held up write a record after the upload has become a blob: even a day later,
// the segments must stay the blob's.
func TestLateRecord(t *testing.T) {
	ctx := t.Context()
	for name, moved := range map[string]bool{"moved": true, "still to be moved": false} {
		t.Run(name, func(t *testing.T) {
			parameters := with(newContainer(t), "chunksize", mib)
			claimed(t, parameters)
			d := open(t, parameters)
			u, err := d.loadUpload(ctx, d.recordName(uploadPath))
			if err != nil {
				t.Fatal(err)
			}
			commit(t, writerAt(t, d, uploadPath, true))
			path := uploadPath
			if moved {
				path = blobPath
				if err := d.Move(ctx, uploadPath, blobPath); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.saveUpload(ctx, uploadPath, u, ncw.Headers{}); err != nil {
				t.Fatal(err)
			}
			if _, err := later(t, parameters).discardUpload(ctx, d.recordName(uploadPath)); err != nil {
				t.Fatal(err)
			}
			wantFile(t, d, path, randomContent(1, 3*mib+1))
			for _, dir := range []string{uploadDir, blobDir} {
				if err := aged(d).Delete(ctx, dir); err != nil && !isPathNotFound(err) {
					t.Fatal(err)
				}
			}
			wantEmpty(t, d)
		})
	}
}

// TestJoinedUnnoted loses the store just after the manifest is written: discarding the upload must leave the file
// whole, and everything of the upload must be deleted with the file.
func TestJoinedUnnoted(t *testing.T) {
	ctx := t.Context()
	parameters := with(newContainer(t), "chunksize", mib)
	claimed(t, parameters)
	proxy := newFaultyProxy(t)
	d := quick(open(t, proxy.through(t, parameters)))
	proxy.set(refuse(http.MethodPost, "/committed"))
	if err := writerAt(t, d, uploadPath, true).Commit(ctx); err == nil {
		t.Fatal("could be committed")
	}
	proxy.set(nil)
	if _, err := later(t, parameters).discardUpload(ctx, d.recordName(uploadPath)); err != nil {
		t.Fatal(err)
	}
	wantFile(t, d, uploadPath, randomContent(1, 3*mib+1))
	if err := aged(d).Delete(ctx, uploadDir); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, d)
}

// TestSegmentGone lets another server discard an upload, with its claim, before this server writes the manifest.
func TestSegmentGone(t *testing.T) {
	parameters := with(newContainer(t), "chunksize", mib)
	claimed(t, parameters)
	d := open(t, parameters)
	w := writerAt(t, d, uploadPath, true)
	if err := d.deleteObject(t.Context(), d.segmentName(w.upload.ID, w.upload.Segments[0])); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("committed: %v", err)
	}
}
