package realservers

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// serving is a server's process.
type serving struct {
	registrytest.Client
	config  string
	process *exec.Cmd
}

func serve(t *testing.T, config, address string) *serving {
	t.Helper()
	s := serveProcess(t, exec.Command(binary, "serve", config), address)
	s.config = config
	return s
}

// serveBeside starts one of the servers of a store, which continue each other's uploads.
func serveBeside(t *testing.T, google *server, section string) *serving {
	t.Helper()
	address := registrytest.FreeAddress(t)
	text := strings.Replace(config(address, section), "http: {", "http: {secret: shared, ", 1)
	return serveProcess(t, command(t.Context(), t, google, "serve", configFile(t, "server", text)), address)
}

// serveProcess starts a server and waits until it answers.
func serveProcess(t *testing.T, process *exec.Cmd, address string) *serving {
	t.Helper()
	s := &serving{Client: registrytest.Client{URL: "http://" + address}, process: process}
	process.Stderr = &faults{t: t}
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	eventually(t, "an answer of the server", func() bool {
		response, err := http.Get(s.URL + "/v2/")
		if err == nil {
			response.Body.Close()
		}
		// A server with users asks for a login.
		return err == nil && (response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized)
	})
	return s
}

// faults prints the log's lines about answers with 500, whose bodies refer to the log.
type faults struct {
	t    *testing.T
	rest []byte
}

func (f *faults) Write(p []byte) (int, error) {
	f.rest = append(f.rest, p...)
	for {
		line, rest, whole := bytes.Cut(f.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if bytes.Contains(line, []byte("http.response.status=500")) {
			f.t.Logf("%s", line)
		}
		f.rest = rest
	}
}

func (s *serving) signal(signal os.Signal) { _ = s.process.Process.Signal(signal) }

// kill sends SIGKILL and waits for the end.
func (s *serving) kill() {
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// eventually waits for a condition that comes true however busy the machine is; the limit only ends
// a run that hangs.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	poll.Within(t, 10*time.Minute, what, condition)
}

var (
	longestPause = regexp.MustCompile(`the longest (\S+)`)
	summary      = regexp.MustCompile(`(?m)^(blobs: .*\n.*\n)(.*\n)*`)
)

// collected are the stores that collections are tried on.
type collected struct {
	name string
	// start makes the store, and returns a function that gives the storage section for one of its folders.
	start func(t *testing.T) (folder func(name string) string)
	// pace is how often each client pushes. More than a few hundred requests a second lead to no
	// new orders of requests, and take the cores from all other tests. Swift is one process in
	// Python, which has to delete at least as fast as clients push.
	pace time.Duration
	// look is how often the test asks how far a collection is, for the same reason.
	look time.Duration
	// litter is the number of blobs that keep a collection busy long enough for it to be killed meanwhile.
	litter int
}

func stores() []collected {
	return []collected{
		{
			name: "folder",
			start: func(t *testing.T) func(string) string {
				root := t.TempDir()
				return func(name string) string { return folderStorage(filepath.Join(root, name)) }
			},
			pace:   20 * time.Millisecond,
			litter: 3000,
		},
		{
			name: "S3",
			start: func(t *testing.T) func(string) string {
				s := startS3(t)
				section := s3Storage("images", s.values["accesskey"], s.values["secretkey"], s.values["endpoint"])
				return func(name string) string { return below(section, name) }
			},
			pace:   100 * time.Millisecond,
			litter: 300,
		},
		{
			name: "Azure",
			start: func(t *testing.T) func(string) string {
				s := startAzure(t)
				section := azureStorage("images", s.values["accountname"], s.values["accountkey"], s.values["serviceurl"])
				return func(name string) string { return below(section, name) }
			},
			pace:   200 * time.Millisecond,
			litter: 150,
		},
		{
			name: "Swift",
			start: func(t *testing.T) func(string) string {
				s := startSwift(t)
				section := swiftStorage("images", s.values["username"], s.values["password"], s.values["authurl"])
				return func(name string) string { return below(section, name) }
			},
			pace:   6 * time.Second,
			look:   100 * time.Millisecond,
			litter: 150,
		},
	}
}

// below returns the storage section for a folder of a store.
func below(section, name string) string {
	return strings.TrimSuffix(section, "}") + fmt.Sprintf(", rootdirectory: %q}", name)
}

// TestCollectionDuringTraffic collects ten times while clients push, pull and delete.
func TestCollectionDuringTraffic(t *testing.T) {
	t.Parallel()
	for _, store := range stores() {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			address := registrytest.FreeAddress(t)
			server := serve(t, configFile(t, "server", config(address, store.start(t)("traffic"), "cache: {blobdescriptor: inmemory}")), address)
			finish := server.HalfUpload(t, "team/app-0")
			traffic := registrytest.StartTraffic(t, store.pace, server.URL)
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
				t.Log(summary.FindString(got.stdout))
			}
			finish()
			traffic.Stop(t)
			t.Logf("%s: %d deletions in ten collections, the longest pause %s", store.name, deleted, longest)
			if deleted == 0 || longest == 0 {
				t.Error("nothing was deleted")
			}
		})
	}
}
