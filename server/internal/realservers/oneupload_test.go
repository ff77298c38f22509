package realservers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/registrytest"
)

// TestOneUpload has several clients, each with a layer of its own, send to one upload through two servers of
// a store. Every created blob has to match its digest, and a client that interfered with another one gets an error.
func TestOneUpload(t *testing.T) {
	// lanes is the number of uploads at a time, each with several clients; each lane has this many rounds.
	const lanes, rounds = 4, 10
	for name, storage := range everyStore {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			section, google := storage(t)
			shared := &sharedUploads{created: map[digest.Digest]bool{}, answers: map[string]int{}}
			for range 2 {
				shared.urls = append(shared.urls, serveBeside(t, google, section).URL)
			}
			var group errgroup.Group
			for range lanes {
				group.Go(func() error {
					for range rounds {
						if err := shared.round(t.Context()); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			for d := range shared.created {
				if err := shared.pull(t.Context(), d); err != nil {
					t.Error(err)
				}
			}
			// The last is for an upload's file that another server has locked, and for stores that fail on something that was removed.
			refused := []int{
				http.StatusBadRequest, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable, http.StatusServiceUnavailable,
			}
			for answer, times := range shared.answers {
				var status int
				if _, err := fmt.Sscanf(answer, "%d", &status); err != nil || status >= 400 && !slices.Contains(refused, status) {
					t.Errorf("%d times: %s", times, answer)
				}
			}
			t.Logf("%d layers in %d uploads", len(shared.created), lanes*rounds)
		})
	}
}

type sharedUploads struct {
	urls    []string
	mutex   sync.Mutex
	created map[digest.Digest]bool
	// answers are counted by status, method and what the body of an error says.
	answers map[string]int
}

// round opens an upload and lets some clients, each with a layer of its own, try to finish it.
func (s *sharedUploads) round(ctx context.Context) error {
	answer, err := s.ask(ctx, http.MethodPost, s.urls[0]+"/v2/app/blobs/uploads/", nil)
	if err != nil {
		return err
	}
	var clients errgroup.Group
	// The last size takes more than one part in S3, Swift and OSS.
	size := []int{1, 40_000, 300_000, 12 << 20}[rand.IntN(4)]
	for range 2 + rand.IntN(4) {
		layer := registrytest.Layer(rand.Uint64(), size)
		clients.Go(func() error {
			time.Sleep(rand.N(15 * time.Millisecond))
			return s.client(ctx, answer.Header.Get("Location"), layer)
		})
	}
	return clients.Wait()
}

// client does with an upload one of the things that clients do.
func (s *sharedUploads) client(ctx context.Context, location string, layer []byte) error {
	at := func() string {
		return strings.Replace(location, s.urls[0], s.urls[rand.IntN(len(s.urls))], 1)
	}
	d := digest.FromBytes(layer)
	put := func(rest []byte) error {
		answer, err := s.ask(ctx, http.MethodPut, at()+"&digest="+d.String(), rest)
		if err == nil && answer.StatusCode == http.StatusCreated {
			s.mutex.Lock()
			defer s.mutex.Unlock()
			s.created[d] = true
		}
		return err
	}
	switch rand.IntN(6) {
	case 0:
		_, err := s.ask(ctx, http.MethodPatch, at(), layer)
		return err
	case 1:
		_, err := s.ask(ctx, http.MethodDelete, at(), nil)
		return err
	case 2, 3:
		answer, err := s.ask(ctx, http.MethodPatch, at(), layer[:len(layer)/2])
		if err != nil || answer.StatusCode != http.StatusAccepted {
			return err
		}
		location = answer.Header.Get("Location")
		for _, url := range s.urls {
			location = strings.Replace(location, url, s.urls[0], 1)
		}
		return put(layer[len(layer)/2:])
	default:
		return put(layer)
	}
}

func (s *sharedUploads) ask(ctx context.Context, method, url string, body []byte) (*http.Response, error) {
	response, text, err := exchange(ctx, method, url, body)
	if err != nil && len(body) > 1<<20 && ctx.Err() == nil {
		// The server closes the connection of a client that keeps sending a refused body, and the answer may be lost.
		return &http.Response{}, nil
	}
	if err != nil {
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.answers[fmt.Sprintf("%s to %s %.200s", response.Status, method, text)]++
	return response, nil
}

func (s *sharedUploads) pull(ctx context.Context, d digest.Digest) error {
	response, content, err := exchange(ctx, http.MethodGet, s.urls[1]+"/v2/app/blobs/"+d.String(), nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || digest.FromBytes(content) != d {
		return fmt.Errorf("%s was created, and is now %s of %d bytes", d, response.Status, len(content))
	}
	return nil
}

func exchange(ctx context.Context, method, url string, body []byte) (*http.Response, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response, content, err
}
