package realservers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/registrytest"
)

var anonymous = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)

// watchMemory watches the memory that the kernel can't take back. The function that it returns
// gives the largest amount, in MiB.
func watchMemory(t *testing.T, pid int) (peak func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	most := make(chan int, 1)
	go func() {
		peak := 0
		for ctx.Err() == nil {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if found := anonymous.FindSubmatch(status); err == nil && found != nil {
				now, _ := strconv.Atoi(string(found[1]))
				peak = max(peak, now>>10)
			}
			time.Sleep(20 * time.Millisecond)
		}
		most <- peak
	}()
	return func() int {
		cancel()
		return <-most
	}
}

// TestManyUploads has 60 clients upload 40 MiB at once to a server with the memory of a
// default container.
func TestManyUploads(t *testing.T) {
	const uploads, size, limit = 60, 40 << 20, 512
	layer := registrytest.Layer(1, size)
	d := digest.FromBytes(layer)
	for name, storage := range everyStore {
		t.Run(name, func(t *testing.T) {
			section, google := storage(t)
			address := registrytest.FreeAddress(t)
			process := command(t.Context(), t, google, "serve", configFile(t, "server", config(address, section)))
			if process.Env == nil {
				process.Env = os.Environ()
			}
			process.Env = append(process.Env, fmt.Sprintf("GOMEMLIMIT=%dMiB", limit*9/10))
			server := serveProcess(t, process, address)

			start := time.Now()
			peak := watchMemory(t, process.Process.Pid)
			var group errgroup.Group
			for i := range uploads {
				group.Go(func() error { return upload(server.URL, fmt.Sprintf("app/%d", i), layer, d) })
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			used := peak()
			t.Logf("%s for all, at most %d MiB", time.Since(start).Round(time.Second/10), used)
			if used >= limit {
				t.Errorf("the server used %d MiB of %d", used, limit)
			}
		})
	}
}

// upload uploads a layer as Docker does.
func upload(url, repository string, layer []byte, d digest.Digest) error {
	location := url + "/v2/" + repository + "/blobs/uploads/"
	for _, step := range []struct {
		method, query string
		body          []byte
		want          int
	}{
		{http.MethodPost, "", nil, http.StatusAccepted},
		{http.MethodPatch, "", layer, http.StatusAccepted},
		{http.MethodPut, "&digest=" + d.String(), nil, http.StatusCreated},
	} {
		request, err := http.NewRequest(step.method, location+step.query, bytes.NewReader(step.body))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != step.want {
			return fmt.Errorf("%s %s: %s", step.method, repository, response.Status)
		}
		location = response.Header.Get("Location")
	}
	return nil
}
