package azure

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

func isAppend(r *http.Request) bool { return r.URL.Query().Get("comp") == "appendblock" }

func isCopy(r *http.Request) bool { return r.Header.Get("X-Ms-Copy-Source") != "" }

func isDelete(r *http.Request) bool { return r.Method == http.MethodDelete }

func isAny(*http.Request) bool { return true }

// write uploads a file in one go.
func write(ctx context.Context, driver storagedriver.StorageDriver, path, content string) error {
	writer, err := driver.Writer(ctx, path, false)
	if err != nil {
		return err
	}
	if _, err := writer.Write([]byte(content)); err != nil {
		return err
	}
	return errors.Join(writer.Commit(ctx), writer.Close())
}

// TestLostAppend loses the answer to an append: the next attempt finds that the bytes are already there.
func TestLostAppend(t *testing.T) {
	const block = 4 << 20
	for name, lost := range map[string]http.HandlerFunc{
		"broken off": breakOff,
		"busy":       refuse(http.StatusServiceUnavailable, "ServerBusy"),
		"failed":     refuse(http.StatusInternalServerError, "InternalError"),
		"timed out":  refuse(http.StatusInternalServerError, "OperationTimedOut"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account, driver := open(t)
			account.fail(fault{matches: isAppend, times: 1, after: true, answer: lost})
			content := strings.Repeat("x", block) + strings.Repeat("y", 100)
			if err := write(t.Context(), driver, "/a", content); err != nil {
				t.Fatal(err)
			}
			if account.content("a") != content {
				t.Errorf("%d bytes are stored, want %d", len(account.content("a")), len(content))
			}
		})
	}
}

// TestLostAppendAnsweredEarly lets the store refuse the next attempt before it has received all of it.
func TestLostAppendAnsweredEarly(t *testing.T) {
	account, driver := open(t)
	account.fail(fault{matches: isAppend, times: 1, after: true, answer: refuse(http.StatusServiceUnavailable, "ServerBusy")})
	account.fail(fault{matches: isAppend, times: 1, answer: refuse(http.StatusPreconditionFailed, "AppendPositionConditionNotMet")})
	content := strings.Repeat("x", 4<<20)
	if err := write(t.Context(), driver, "/a", content); err != nil || account.content("a") != content {
		t.Errorf("%d bytes are stored: %v", len(account.content("a")), err)
	}
}

// TestOthersAppend lets somebody else append while the answer to an append is lost.
func TestOthersAppend(t *testing.T) {
	for name, others := range map[string]string{"as much": "theirs", "less": "the", "more": "our and theirs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account, driver := open(t)
			account.fail(fault{matches: isAppend, times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
				account.put(w, "a", "AppendBlob", []byte(others))
				refuse(http.StatusServiceUnavailable, "ServerBusy")(w, r)
			}})
			if err := write(t.Context(), driver, "/a", "oursss"); err == nil || !strings.Contains(err.Error(), "ConditionNotMet") {
				t.Error(err)
			}
			if account.content("a") != others {
				t.Errorf("%q is stored", account.content("a"))
			}
		})
	}
}

// TestOvertaken lets another server delete an upload, or put something else in its place.
func TestOvertaken(t *testing.T) {
	for code, status := range map[string]int{
		"BlobNotFound": http.StatusNotFound, "InvalidBlobType": http.StatusConflict, "ConditionNotMet": http.StatusPreconditionFailed,
	} {
		t.Run(code, func(t *testing.T) {
			account, driver := open(t)
			account.fail(fault{matches: isAppend, times: 1, answer: refuse(status, code)})
			if err := write(t.Context(), driver, layout.UploadPath("app", "1"), "ours"); !errors.Is(err, layout.ErrOvertaken) {
				t.Error(err)
			}
		})
	}
}

// TestMove lets a move fail in either of its two halves.
func TestMove(t *testing.T) {
	begun := func(status string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After-Ms", "1")
			w.Header().Set("X-Ms-Copy-Id", "1")
			w.Header().Set("X-Ms-Copy-Status", status)
			w.WriteHeader(http.StatusAccepted)
		}
	}
	for name, test := range map[string]struct {
		fault fault
		err   string
	}{
		"the answer to the deletion is lost":   {fault{matches: isDelete, times: 1, after: true, answer: breakOff}, ""},
		"the deletion is done, and then fails": {fault{matches: isDelete, times: 1, after: true, answer: refuse(http.StatusServiceUnavailable, "ServerBusy")}, ""},
		"somebody else deletes":                {fault{matches: isDelete, times: 1, after: true, answer: refuse(http.StatusNotFound, "BlobNotFound")}, ""},
		"the deletion is forbidden":            {fault{matches: isDelete, times: 1, answer: refuse(http.StatusForbidden, "AuthorizationPermissionMismatch")}, "AuthorizationPermissionMismatch"},
		"the copy fails once":                  {fault{matches: isCopy, times: 1, answer: begun("failed")}, ""},
		"the copy fails":                       {fault{matches: isCopy, times: 4, answer: begun("failed")}, copyFailed},
		"the copy is given up":                 {fault{matches: isCopy, times: 4, answer: begun("aborted")}, copyFailed},
		"the source may not be read":           {fault{matches: isCopy, times: 1, answer: refuse(http.StatusForbidden, "CannotVerifyCopySource")}, "CannotVerifyCopySource"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account, driver := open(t)
			if err := driver.PutContent(t.Context(), "/a", []byte("layer")); err != nil {
				t.Fatal(err)
			}
			account.fail(test.fault)
			err := driver.Move(t.Context(), "/a", "/b")
			if test.err == "" {
				if err != nil || account.content("b") != "layer" || account.content("a") != "absent" {
					t.Errorf("%v; %q is left, %q moved", err, account.content("a"), account.content("b"))
				}
				return
			}
			if missing := (storagedriver.PathNotFoundError{}); err == nil || !strings.Contains(err.Error(), test.err) || errors.As(err, &missing) {
				t.Error(err)
			}
			if account.content("a") != "layer" {
				t.Errorf("%q is left", account.content("a"))
			}
		})
	}
	account, driver := open(t)
	if err := driver.Move(t.Context(), "/a", "/b"); !errors.As(err, &storagedriver.PathNotFoundError{}) {
		t.Error(err)
	}
	if account.content("b") != "absent" {
		t.Errorf("%q is there", account.content("b"))
	}
}

// TestDelete deletes a folder at the same time as somebody else.
func TestDelete(t *testing.T) {
	account, driver := open(t)
	for _, path := range []string{"/a/1", "/a/2"} {
		if err := driver.PutContent(t.Context(), path, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	account.fail(fault{
		matches: func(r *http.Request) bool { return isDelete(r) && strings.Contains(r.URL.Path, "/a/") },
		times:   1, after: true, answer: refuse(http.StatusNotFound, "BlobNotFound"),
	})
	if err := driver.Delete(t.Context(), "/a"); err != nil {
		t.Error(err)
	}
	if account.content("a/1") != "absent" || account.content("a/2") != "absent" {
		t.Error("a file is left")
	}
	if err := driver.Delete(t.Context(), "/a"); !errors.As(err, &storagedriver.PathNotFoundError{}) {
		t.Error(err)
	}
}

// actions are all actions of a registry on its store.
var actions = map[string]func(context.Context, storagedriver.StorageDriver) error{
	"read": func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.GetContent(ctx, "/a")
		return err
	},
	"stream": func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.Reader(ctx, "/a", 0)
		return err
	},
	"stat": func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.Stat(ctx, "/a")
		return err
	},
	"list": func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.List(ctx, "/a")
		return err
	},
	"write":  func(ctx context.Context, d storagedriver.StorageDriver) error { return d.PutContent(ctx, "/a", nil) },
	"upload": func(ctx context.Context, d storagedriver.StorageDriver) error { return write(ctx, d, "/a", "x") },
	"go on": func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.Writer(ctx, "/a", true)
		return err
	},
	"move":   func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Move(ctx, "/a", "/b") },
	"delete": func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Delete(ctx, "/a") },
	"walk": func(ctx context.Context, d storagedriver.StorageDriver) error {
		return d.Walk(ctx, "/a", func(storagedriver.FileInfo) error { return nil })
	},
}

// TestContainerGone expects a container that is gone not to be reported as a missing file.
func TestContainerGone(t *testing.T) {
	for name, act := range actions {
		for _, code := range []string{"ContainerNotFound", "ResourceNotFound"} {
			account, driver := open(t)
			account.fail(fault{matches: isAny, times: 100, answer: refuse(http.StatusNotFound, code)})
			err := act(t.Context(), driver)
			if err == nil || !strings.Contains(err.Error(), code) || errors.As(err, &storagedriver.PathNotFoundError{}) {
				t.Errorf("%s, %s: %v", name, code, err)
			}
		}
	}
}

// TestNoAnswer lets something in front of the store answer with a page, with the status that the driver expects.
func TestNoAnswer(t *testing.T) {
	for name, act := range actions {
		for _, status := range []int{http.StatusOK, http.StatusCreated, http.StatusAccepted} {
			account, driver := open(t)
			account.fail(fault{matches: isAny, times: 100, answer: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Del("X-Ms-Request-Id")
				w.WriteHeader(status)
				io.WriteString(w, "<html>")
			}})
			if err := act(t.Context(), driver); err == nil || !strings.Contains(err.Error(), noAnswer) {
				t.Errorf("%s, %d: %v", name, status, err)
			}
		}
	}
	account, driver := open(t)
	account.fail(fault{matches: isAppend, times: 1, answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Del("X-Ms-Request-Id")
		w.WriteHeader(http.StatusCreated)
	}})
	if err := write(t.Context(), driver, "/a", "x"); err == nil || !strings.Contains(err.Error(), noAnswer) {
		t.Errorf("what was not appended: %v", err)
	}
}
