package realservers

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

var probeName = regexp.MustCompile(`container-registry-check-[0-9A-Z]+`)

// TestTransfer copies a registry from a folder through all stores back into a folder.
// Each copy serves what the first one did, and knows which tag was pushed long ago.
func TestTransfer(t *testing.T) {
	s3, azure, google, swift, oss := startS3(t), startAzure(t), startGoogle(t), startSwift(t), startOSS(t)
	first, last := t.TempDir(), t.TempDir()

	source := registrytest.Serve(t, registrytest.Config(t, filesystem.New(filesystem.DriverParameters{RootDirectory: first, MaxThreads: 100})))
	source.Fill(t)
	// Large enough for S3 to store and copy it in parts, and for Google to take it in several chunks.
	source.Push(t, "team/app", "large", registrytest.Layer(7, 40<<20))
	want := source.Pulled(t)
	old := time.Now().AddDate(0, 0, -40)
	if err := os.Chtimes(filepath.Join(first, layout.TagPath("team/app", "large")), old, old); err != nil {
		t.Fatal(err)
	}
	const retention = "maintenance: {garbagecollection: {retention: {rules: [{keepdays: 30}]}}}"

	stores := []struct{ name, storage string }{
		{"folder", folderStorage(first)},
		{"S3", s3Storage("images", s3.values["accesskey"], s3.values["secretkey"], s3.values["endpoint"])},
		{"Azure", azureStorage("images", azure.values["accountname"], azure.values["accountkey"], azure.values["serviceurl"])},
		{"Google", googleStorage("images", google.values["serviceaccount"])},
		{"Swift", swiftStorage("images", swift.values["username"], swift.values["password"], swift.values["authurl"])},
		{"OSS", ossStorage("images", ossKey, ossSecret, oss)},
		{"another folder", folderStorage(last)},
	}
	for i, to := range stores[1:] {
		from := stores[i]
		t.Run(from.name+" to "+to.name, func(t *testing.T) {
			fromConfig := configFile(t, "from", config(":5000", from.storage, readOnly))
			toConfig := configFile(t, "to", config(registrytest.FreeAddress(t), to.storage, retention))

			dry := registry(t, google, "", "transfer", "--dry-run", fromConfig, toConfig)
			if dry.code != 0 || !strings.HasPrefix(dry.stdout, "to copy from ") || !strings.Contains(dry.stdout, "  blobs  22 (44.5 MiB), there already 0\n") {
				t.Fatalf("%+v", dry)
			}
			got := registry(t, google, "", "transfer", fromConfig, toConfig)
			if got.code != 0 || !strings.HasPrefix(got.stdout, "copied from ") || !strings.Contains(got.stdout, "  blobs  22 (44.5 MiB), there already 0\n") {
				t.Fatalf("%+v", got)
			}
			t.Log(got.stdout)
			if got := served(t, google, toConfig); !slices.Equal(got, want) {
				t.Errorf("it serves\n%s", strings.Join(got, "\n"))
			}
			collected := registry(t, google, "", "garbage-collect", "--dry-run", toConfig)
			if collected.code != 0 || !strings.Contains(collected.stdout, "would be deleted: tag team/app:large by ") || strings.Count(collected.stdout, "would be deleted: tag ") != 1 {
				t.Errorf("%+v", collected)
			}
			again := registry(t, google, "", "transfer", fromConfig, toConfig)
			if again.code != 0 || !strings.Contains(again.stdout, "  blobs  0 (0 B), there already 22\n") || !strings.Contains(again.stdout, "  tags   0, there already 7\n") {
				t.Errorf("%+v", again)
			}
			t.Log(again.stdout)
		})
	}
}

func TestTransferRefusesAWritableSource(t *testing.T) {
	from := configFile(t, "from", config(":5000", folderStorage(t.TempDir())))
	to := configFile(t, "to", config(":5000", folderStorage(t.TempDir())))
	got := registry(t, nil, "", "transfer", from, to)
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "may take pushes while it is copied") {
		t.Errorf("%+v", got)
	}
}

// TestTransferIsInterrupted ends a transfer with a signal, and does the rest with a second transfer.
func TestTransferIsInterrupted(t *testing.T) {
	s3 := startS3(t)
	folder := t.TempDir()
	source := registrytest.Serve(t, registrytest.Config(t, filesystem.New(filesystem.DriverParameters{RootDirectory: folder, MaxThreads: 100})))
	for i := range uint64(6) {
		source.Push(t, "app", "v"+string(rune('0'+i)), registrytest.Layer(20+i, 30<<20))
	}
	want := source.Pulled(t)
	from := configFile(t, "from", config(":5000", folderStorage(folder), readOnly))
	to := configFile(t, "to", config(registrytest.FreeAddress(t), s3Storage("images", s3.values["accesskey"], s3.values["secretkey"], s3.values["endpoint"])))

	c := command(t.Context(), t, nil, "transfer", "--workers", "1", from, to)
	go func() {
		for t.Context().Err() == nil {
			if _, err := os.Stat(filepath.Join(s3.folder, "data", "images", "docker")); err == nil {
				_ = c.Process.Signal(syscall.SIGTERM)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if got := finish(t, c, ""); got.code != 1 || !strings.HasSuffix(got.stderr, "registry: interrupted; run it again to go on where it stopped\n") {
		t.Fatalf("%+v", got)
	}
	served(t, nil, to)
	if got := registry(t, nil, "", "transfer", from, to); got.code != 0 {
		t.Fatalf("%+v", got)
	} else {
		t.Log(got.stdout)
	}
	if got := served(t, nil, to); !slices.Equal(got, want) {
		t.Errorf("it serves\n%s", strings.Join(got, "\n"))
	}
	for _, pattern := range []string{"container-registry-*", ".sgwtmp/multipart/*"} {
		if left, err := filepath.Glob(filepath.Join(s3.folder, "data", "images", pattern)); err != nil || len(left) > 0 {
			t.Errorf("%q is left, %v", left, err)
		}
	}
}

func configFile(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name+".yml")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// served returns all that the command serves with a configuration.
func served(t *testing.T, google *server, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`addr: "([^"]+)"`).FindStringSubmatch(string(content))[1]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := command(ctx, t, google, "serve", file)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer cancel()
	for try := 0; ; try++ {
		response, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			response.Body.Close()
			break
		}
		if try == 100 {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return registrytest.Client{URL: "http://" + address}.Pulled(t)
}
