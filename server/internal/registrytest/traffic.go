package registrytest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Traffic is a set of clients that push, pull and delete all the time. They share layers, across
// repositories too, so that layers are deleted, come back, and are found by clients just
// before they would be deleted.
type Traffic struct {
	urls   []string
	client *http.Client
	// mayRedo lets a push start again if its blobs were deleted before its manifest came.
	mayRedo bool
	stop    context.CancelFunc
	done    sync.WaitGroup

	mutex sync.Mutex
	// alive are the images that were pushed and not deleted: their digests by reference.
	alive    map[image]digest.Digest
	failures []string

	// Pushes, Pulls and Deletions that succeeded; Refusals are answers of 503 with Retry-After.
	Pushes, Pulls, Deletions, Refusals, Redone atomic.Int64
	// slowest is the longest time of a push's request.
	slowest atomic.Int64
}

type image struct{ repository, tag string }

// StartTraffic sends requests to all registries, which are expected to share a store. With several,
// one does not know what another told clients: a push may have to start again.
// In each pace, every pushing client pushes once, and clients that pull and delete do so eight times.
// If pace is zero, all of them work as fast as they can.
func StartTraffic(t testing.TB, pace time.Duration, urls ...string) *Traffic {
	ctx, stop := context.WithCancel(t.Context())
	traffic := &Traffic{
		urls:    urls,
		mayRedo: len(urls) > 1,
		client:  &http.Client{Timeout: time.Minute},
		stop:    stop,
		alive:   map[image]digest.Digest{},
	}
	for number := range 3 {
		traffic.repeat(ctx, pace, func(round int) { traffic.push(number, round) })
	}
	traffic.repeat(ctx, pace/8, func(int) { traffic.pull() })
	traffic.repeat(ctx, pace/8, func(int) { traffic.delete() })
	t.Cleanup(func() { traffic.halt() })
	return traffic
}

func (c *Traffic) repeat(ctx context.Context, pace time.Duration, do func(round int)) {
	c.done.Go(func() {
		for round := 0; ctx.Err() == nil; round++ {
			next := time.After(pace)
			do(round)
			select {
			case <-next:
			case <-ctx.Done():
			}
		}
	})
}

func (c *Traffic) halt() {
	c.stop()
	c.done.Wait()
	c.client.CloseIdleConnections()
}

// Stop ends the traffic, fails the test if anything went wrong, and pulls what is left.
func (c *Traffic) Stop(t testing.TB) {
	t.Helper()
	c.halt()
	left := len(c.alive)
	for each, d := range c.alive {
		if problem := c.check(each, d); problem != "" {
			c.fail("after all, %s", problem)
		}
	}
	for i, each := range c.failures {
		if i == 10 {
			t.Errorf("… and %d more", len(c.failures)-i)
			break
		}
		t.Error(each)
	}
	t.Logf("%d pushes, %d pulls, %d deletions, %d images left; %d answers of 503, %d pushes begun again; the slowest request of a push took %s",
		c.Pushes.Load(), c.Pulls.Load(), c.Deletions.Load(), left, c.Refusals.Load(), c.Redone.Load(), time.Duration(c.slowest.Load()).Round(time.Millisecond))
	if c.Pushes.Load() == 0 || c.Pulls.Load() == 0 || c.Deletions.Load() == 0 {
		t.Error("there was no traffic")
	}
}

func (c *Traffic) fail(format string, values ...any) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.failures = append(c.failures, fmt.Sprintf(format, values...))
}

// any returns an image that exists, if there are at least this many.
func (c *Traffic) any(atLeast int) (image, digest.Digest, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.alive) < atLeast {
		return image{}, "", false
	}
	skip := 0
	if n := len(c.alive); n > 0 {
		skip = rand.N(n)
	}
	for each, d := range c.alive {
		if skip == 0 {
			return each, d, true
		}
		skip--
	}
	return image{}, "", false
}

func (c *Traffic) url(path string) string { return c.urls[rand.N(len(c.urls))] + path }

// push pushes an image as clients do: a layer that exists is not uploaded, and one of another
// repository is mounted.
func (c *Traffic) push(number, round int) {
	to := image{fmt.Sprintf("team/app-%d", rand.N(3)), fmt.Sprintf("%d-%d", number, round)}
	manifest := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest}
	config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","author":"%s:%s"}`, to.repository, to.tag)
	var ok bool
	if manifest.Config, ok = c.pushBlob(to.repository, v1.MediaTypeImageConfig, config); !ok {
		return
	}
	for range 2 {
		layer, ok := c.pushBlob(to.repository, v1.MediaTypeImageLayer, Layer(rand.Uint64N(12), 2000))
		if !ok {
			return
		}
		manifest.Layers = append(manifest.Layers, layer)
	}
	content, err := json.Marshal(manifest)
	if err != nil {
		c.fail("%v", err)
		return
	}
	if _, ok := c.write(http.MethodPut, c.url("/v2/"+to.repository+"/manifests/"+to.tag), manifest.MediaType, content, http.StatusCreated); !ok {
		return
	}
	c.Pushes.Add(1)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.alive[to] = digest.FromBytes(content)
}

func (c *Traffic) pushBlob(repository, mediaType string, content []byte) (v1.Descriptor, bool) {
	d := digest.FromBytes(content)
	descriptor := v1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
	base := c.url("")
	head, err := c.client.Head(base + "/v2/" + repository + "/blobs/" + d.String())
	if err != nil {
		c.fail("%v", err)
		return descriptor, false
	}
	head.Body.Close()
	if head.StatusCode == http.StatusOK {
		return descriptor, true
	}
	query := ""
	if from := fmt.Sprintf("team/app-%d", rand.N(3)); from != repository {
		query = "?mount=" + d.String() + "&from=" + from
	}
	started, ok := c.write(http.MethodPost, base+"/v2/"+repository+"/blobs/uploads/"+query, "", nil, http.StatusAccepted, http.StatusCreated)
	if !ok || started.StatusCode == http.StatusCreated {
		return descriptor, ok
	}
	_, ok = c.write(http.MethodPut, started.Header.Get("Location")+"&digest="+d.String(), "application/octet-stream", content, http.StatusCreated)
	return descriptor, ok
}

func (c *Traffic) delete() {
	each, d, ok := c.any(5)
	if !ok {
		time.Sleep(time.Millisecond)
		return
	}
	c.mutex.Lock()
	delete(c.alive, each)
	c.mutex.Unlock()
	if _, ok := c.write(http.MethodDelete, c.url("/v2/"+each.repository+"/manifests/"+d.String()), "", nil, http.StatusAccepted); ok {
		c.Deletions.Add(1)
	}
}

// write tries again when the registry says so.
func (c *Traffic) write(method, url, mediaType string, body []byte, want ...int) (*http.Response, bool) {
	began := time.Now()
	for {
		request, err := http.NewRequest(method, url, bytes.NewReader(body))
		if err != nil {
			c.fail("%v", err)
			return nil, false
		}
		request.Header.Set("Content-Type", mediaType)
		response, err := c.client.Do(request)
		if err != nil {
			c.fail("%v", err)
			return nil, false
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "" && time.Since(began) < 2*time.Minute {
			c.Refusals.Add(1)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		if bytes.Contains(text, []byte("ExistingObjectIsDirectory")) {
			// versitygw keeps objects in folders, and loses races over empty folders, which S3 does not have.
			continue
		}
		c.slowest.Store(max(c.slowest.Load(), int64(time.Since(began))))
		for _, status := range want {
			if response.StatusCode == status {
				return response, true
			}
		}
		if c.mayRedo && bytes.Contains(text, []byte("BLOB_UNKNOWN")) {
			c.Redone.Add(1)
		} else {
			c.fail("%s %s: %s: %.300s", method, url, response.Status, text)
		}
		return nil, false
	}
}
