package storecheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/registrytest"
)

const limit = 20 * time.Second

// files are the names of a store's files; folders without any count as files.
func files(t *testing.T, driver storagedriver.StorageDriver) []string {
	t.Helper()
	var names []string
	err := driver.Walk(context.Background(), "/", func(info storagedriver.FileInfo) error {
		names = append(names, info.Path())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestCheck(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	if err := driver.StorageDriver.PutContent(t.Context(), "/docker/registry/v2/blobs", nil); err != nil {
		t.Fatal(err)
	}
	before := strings.Join(files(t, driver.StorageDriver), " ")
	c := registrytest.Config(t, driver)
	if opened, err := Check(t.Context(), c, AccessOf(c), limit); err != nil || opened == nil {
		t.Fatal(opened, err)
	}
	for _, action := range []string{"get", "put", "list", "read", "write", "move", "delete"} {
		if driver.Count(action, "/docker") > 0 {
			t.Errorf("%s in the registry's folder", action)
		}
	}
	if got := strings.Join(files(t, driver.StorageDriver), " "); got != before {
		t.Errorf("it left %s", got)
	}
}

func TestReadOnly(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	driver.Before = func(action, _ string) error {
		if action != "list" && action != "get" {
			t.Errorf("%s", action)
		}
		return nil
	}
	c := registrytest.ReadOnly(registrytest.Config(t, driver))
	if _, err := Check(t.Context(), c, AccessOf(c), limit); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	denied := errors.New("AccessDenied: no")
	for name, test := range map[string]struct {
		action string
		err    error
		want   string
	}{
		"list":   {"list", denied, "cannot list test store: the credentials may not do that; allow them to do so (AccessDenied: no)"},
		"read":   {"get", denied, "cannot read from test store: the credentials may not do that; allow them to do so (AccessDenied: no)"},
		"write":  {"put", denied, "cannot write to test store: it may be read but not written; allow the credentials to do so (AccessDenied: no)"},
		"upload": {"write", denied, "cannot upload to test store: it may be read but not written; allow the credentials to do so (AccessDenied: no)"},
		"moved":  {"move", errors.New("{\n  Code: \"AccessDenied\",\n  Key: \"x\"\n}"), `cannot delete from test store: it may be written, but nothing may be deleted; allow the credentials to do so ({ Code: "AccessDenied", Key: "x" })`},
		"full":   {"write", syscall.ENOSPC, "cannot upload to test store: it is full; make space or raise its quota (no space left on device)"},
		"move":   {"move", errors.New("odd"), "cannot upload to test store: odd"},
		"delete": {"delete", denied, "cannot delete from test store: it may be written, but nothing may be deleted; allow the credentials to do so (AccessDenied: no); delete /container-registry-check-X there, it could not be taken away"},
	} {
		t.Run(name, func(t *testing.T) {
			driver := registrytest.NewSpy(inmemory.New())
			var folder string
			driver.Before = func(action, path string) error {
				folder = path
				if action == test.action {
					return test.err
				}
				return nil
			}
			c := registrytest.Config(t, driver)
			c.Storage.Parameters()["rootdirectory"] = "x"
			_, err := Check(t.Context(), c, ReadWrite, limit)
			want := strings.Replace(test.want, "/container-registry-check-X", "/x"+folder, 1)
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
			if test.action == "delete" && driver.Count("move", "/") > 0 {
				t.Error("it moved before it knew that it may delete")
			}
			if left := files(t, driver.StorageDriver); len(left) > 0 && test.action != "delete" {
				t.Errorf("it left %q", left)
			}
		})
	}
}

// garbles returns other bytes than it was given.
type garbles struct{ storagedriver.StorageDriver }

func (g garbles) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := g.StorageDriver.GetContent(ctx, path)
	return append(content, '!'), err
}

func TestComparesWhatItReads(t *testing.T) {
	_, err := Check(t.Context(), registrytest.Config(t, garbles{inmemory.New()}), ReadWrite, limit)
	if err == nil || !strings.HasPrefix(err.Error(), "cannot write to test store: it gives back other bytes than it was given") {
		t.Error(err)
	}
}

// hangs is a driver whose server does not answer one of the actions.
type hangs struct {
	storagedriver.StorageDriver
	heeds bool
	end   chan struct{}
}

func (h hangs) PutContent(ctx context.Context, path string, content []byte) error {
	if h.heeds {
		<-ctx.Done()
		return ctx.Err()
	}
	<-h.end
	return nil
}

func TestLimit(t *testing.T) {
	for name, test := range map[string]struct {
		heeds bool
		most  time.Duration
	}{
		"a driver that heeds its context":           {true, limit},
		"a driver that goes on trying all the same": {false, limit + grace},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				driver := hangs{inmemory.New(), test.heeds, make(chan struct{})}
				defer close(driver.end)
				start := time.Now()
				_, err := Check(t.Context(), registrytest.Config(t, driver), ReadWrite, limit)
				want := "cannot write to test store: it does not answer in time; check its address and that it runs (no answer within 20s)"
				if err == nil || err.Error() != want {
					t.Errorf("got\n%v\nwant\n%s", err, want)
				}
				if took := time.Since(start); took > test.most {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// TestThrottled lets the store answer, but not do what it is asked, until time is up.
func TestThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := registrytest.NewSpy(inmemory.New())
		driver.Before = func(string, string) error {
			time.Sleep(limit + grace/2)
			return errors.New("SlowDown: Please reduce your request rate.")
		}
		_, err := Check(t.Context(), registrytest.Config(t, driver), ReadWrite, limit)
		want := "cannot list test store: it is overloaded or out of order; try again later (SlowDown: Please reduce your request rate.)"
		if err == nil || err.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	})
}

func TestInterrupted(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	ctx, cancel := context.WithCancel(t.Context())
	driver.Before = func(action, _ string) error {
		if action == "write" {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	_, err := Check(ctx, registrytest.Config(t, driver), ReadWrite, limit)
	if err == nil || err.Error() != "cannot upload to test store: interrupted" {
		t.Error(err)
	}
	if left := files(t, driver.StorageDriver); len(left) > 0 {
		t.Errorf("it left %q", left)
	}
}

func TestFolders(t *testing.T) {
	root := t.TempDir()
	there := filepath.Join(root, "there")
	if err := os.Mkdir(there, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		folder string
		access Access
		want   string
	}{
		"there":                      {there, ReadWrite, ""},
		"there, read-only":           {there, ReadOnly, ""},
		"made by the first push":     {filepath.Join(root, "new"), ReadWrite, ""},
		"missing, read-only":         {filepath.Join(root, "absent"), ReadOnly, "it does not exist; create it or correct storage.filesystem.rootdirectory (no such file or directory)"},
		"a file instead of a folder": {file, ReadWrite, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &configuration.Configuration{Storage: configuration.Storage{"filesystem": {"rootdirectory": test.folder}}}
			_, err := Check(t.Context(), c, test.access, limit)
			if test.want == "" {
				if left, _ := os.ReadDir(test.folder); err != nil || len(left) > 0 {
					t.Errorf("got %v, and %v is left", err, left)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), `cannot list filesystem folder "`+test.folder+`": `) || !strings.HasSuffix(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// TestFoldersOfImages lets the subfolders that hold images lead elsewhere than the probe's folder.
func TestFoldersOfImages(t *testing.T) {
	for name, test := range map[string]struct {
		path, to string
		access   Access
		want     string
	}{
		"nowhere":            {"docker/registry/v2", "/absent", ReadWrite, "cannot write to filesystem folder %q: %s is a link to what is not there"},
		"nowhere, read-only": {"docker/registry/v2", "/absent", ReadOnly, "cannot read from filesystem folder %q: %s is a link to what is not there"},
		"no blobs":           {"docker/registry/v2/blobs", "/absent", ReadWrite, "cannot write to filesystem folder %q: %s is a link to what is not there"},
		"no folder":          {"docker", "/dev/null", ReadWrite, "cannot write to filesystem folder %q: lstat %s/registry/v2/blobs/sha256: not a directory"},
		"unwritable":         {"docker/registry/v2/repositories", "/proc/sys", ReadWrite, "cannot write to filesystem folder %q: it may not be written; give it to the server's user (%s: permission denied)"},
		"a disk":             {"docker/registry/v2/blobs", t.TempDir(), ReadWrite, ""},
		"a disk, read-only":  {"docker/registry/v2", t.TempDir(), ReadOnly, ""},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			link := filepath.Join(folder, test.path)
			if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(test.to, link); err != nil {
				t.Fatal(err)
			}
			want := test.want
			if want != "" {
				want = fmt.Sprintf(want, folder, link)
			}
			c := &configuration.Configuration{Storage: configuration.Storage{"filesystem": {"rootdirectory": folder}}}
			_, err := Check(t.Context(), c, test.access, limit)
			if got := fmt.Sprint(err); err == nil && want != "" || err != nil && got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if left, _ := os.ReadDir(folder); len(left) != 1 {
				t.Errorf("%v is left", left)
			}
		})
	}
}
