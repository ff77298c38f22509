package realservers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/image/internal/layout"
	"container-registry/image/internal/registrytest"
)

// serving is a server's process.
type serving struct {
	registrytest.Client
	config  string
	process *exec.Cmd
}

func serve(t *testing.T, config, address string) *serving {
	t.Helper()
	s := &serving{Client: registrytest.Client{URL: "http://" + address}, config: config}
	s.process = exec.Command(binary, "serve", config)
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	eventually(t, "an answer of the server", func() bool {
		response, err := http.Get(s.URL + "/v2/")
		if err == nil {
			response.Body.Close()
		}
		return err == nil && response.StatusCode == http.StatusOK
	})
	return s
}

// kill is SIGKILL.
func (s *serving) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ctx.Done():
			t.Fatal("no " + what + " within a minute")
		case <-time.After(time.Millisecond):
		}
	}
}

var longestPause = regexp.MustCompile(`the longest (\S+)`)

// TestCollectionDuringTraffic collects ten times while clients push, pull and delete.
func TestCollectionDuringTraffic(t *testing.T) {
	stores := map[string]func(t *testing.T) string{
		"folder": func(t *testing.T) string { return folderStorage(t.TempDir()) },
		"S3": func(t *testing.T) string {
			s := startS3(t)
			return s3Storage("images", s.values["accesskey"], s.values["secretkey"], s.values["endpoint"])
		},
		"Swift": func(t *testing.T) string {
			s := startSwift(t)
			return swiftStorage("images", s.values["username"], s.values["password"], s.values["authurl"])
		},
	}
	for name, storage := range stores {
		t.Run(name, func(t *testing.T) {
			address := freeAddress(t)
			server := serve(t, configFile(t, "server", config(address, storage(t), "cache: {blobdescriptor: inmemory}")), address)
			finish := server.HalfUpload(t, "team/app-0")
			traffic := registrytest.StartTraffic(t, server.URL)
			var longest time.Duration
			deleted := 0
			for range 10 {
				until := traffic.Deletions.Load() + 2
				eventually(t, "deletion", func() bool { return traffic.Deletions.Load() >= until })
				got := registry(t, nil, "", "garbage-collect", "--delete-untagged", server.config)
				if got.code != 0 {
					t.Fatalf("%+v", got)
				}
				if pause := longestPause.FindStringSubmatch(got.stdout); pause != nil {
					d, err := time.ParseDuration(pause[1])
					if err != nil {
						t.Fatal(err)
					}
					longest = max(longest, d)
				}
				deleted += strings.Count(got.stdout, "deleted: ")
			}
			finish()
			traffic.Stop(t)
			t.Logf("%s: %d deletions in ten collections, the longest pause %s", name, deleted, longest)
			if deleted == 0 || longest == 0 {
				t.Error("nothing was deleted")
			}
		})
	}
}

// holder is what a collection under way keeps in the store.
func holder(root string) (phase string) {
	files, _ := filepath.Glob(filepath.Join(root, "container-registry-collection", "holder-"+strings.Repeat("[0-9a-f]", 16)))
	for _, file := range files {
		var fields struct{ Phase string }
		if content, err := os.ReadFile(file); err == nil && json.Unmarshal(content, &fields) == nil {
			phase = fields.Phase
		}
	}
	return phase
}

// litter leaves blobs that no manifest refers to.
func litter(t *testing.T, root string, n int) []string {
	t.Helper()
	var files []string
	for i := range n {
		content := fmt.Appendf(nil, "litter %d", i)
		file := filepath.Join(root, layout.BlobPath(digest.FromBytes(content)))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func left(files []string) int {
	n := 0
	for _, each := range files {
		if _, err := os.Stat(each); err == nil {
			n++
		}
	}
	return n
}

// TestKilledCollection kills the server that collects, in every phase. It starts again,
// or another server goes on, writes and collects, and no image is lost.
func TestKilledCollection(t *testing.T) {
	const much = 10_000
	for _, phase := range []string{"mark", "sweep", "in the middle of deletions"} {
		for _, successor := range []string{"itself", "another server"} {
			t.Run(phase+", followed by "+successor, func(t *testing.T) {
				root, address, other := t.TempDir(), freeAddress(t), freeAddress(t)
				settings := configFile(t, "server", config(address, folderStorage(root), "cache: {blobdescriptor: inmemory}"))
				server := serve(t, settings, address)
				next := server
				if successor != "itself" {
					next = serve(t, configFile(t, "other", config(other, folderStorage(root), "cache: {blobdescriptor: inmemory}")), other)
				}
				server.Fill(t)
				want := server.Pulled(t)
				files := litter(t, root, much)
				order := exec.Command(binary, "garbage-collect", settings)
				if err := order.Start(); err != nil {
					t.Fatal(err)
				}
				eventually(t, phase, func() bool {
					switch phase {
					case "in the middle of deletions":
						return holder(root) == "sweep" && left(files[:100]) < 100
					default:
						return holder(root) == phase
					}
				})
				server.kill()
				if err := order.Wait(); err == nil {
					t.Error("the command did not notice")
				}
				if rest := left(files); rest == 0 || phase != "in the middle of deletions" && rest < much {
					t.Errorf("killed too late: %d left", rest)
				}
				if successor == "itself" {
					next = serve(t, settings, address)
				}
				began := time.Now()
				eventually(t, "accepted push", func() bool { return next.TryUpload(t, "after") == http.StatusAccepted })
				waited := time.Since(began)
				t.Logf("writable after %s", waited.Round(time.Millisecond))
				// Another server can't know that this one is dead before it is silent for a while.
				if paused := phase != "mark" && successor != "itself"; paused != (waited > 10*time.Second) {
					t.Errorf("writable after %s", waited)
				}
				if got := registry(t, nil, "", "garbage-collect", next.config); got.code != 0 {
					t.Fatalf("%+v", got)
				}
				if rest := left(files); rest != 0 {
					t.Errorf("%d were not deleted", rest)
				}
				if got := next.Pulled(t); !slices.Equal(got, want) {
					t.Errorf("it serves\n%s", strings.Join(got, "\n"))
				}
			})
		}
	}
}
