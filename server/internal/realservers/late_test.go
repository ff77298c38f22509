package realservers

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/registrytest"
)

// TestLateRequest ends a request of an upload, with a wrong last byte, after other requests have continued the
// upload: before and after they turn it into a blob. A folder is locked for other servers: see enginestore.
func TestLateRequest(t *testing.T) {
	// less is the size of a part in S3.
	const less, more, size = 10 << 20, 20 << 20, 45 << 20
	// patient sends nothing before the upload is open.
	patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer patient.CloseIdleConnections()
	for name, storage := range everyStore {
		t.Run(name, func(t *testing.T) {
			section, google := storage(t)
			for seed, test := range []struct {
				where        string
				same, before bool
				sent         int
			}{
				{"at one server", true, false, more},
				{"at one server before", true, true, less},
				{"at two servers", false, false, more},
				{"at two servers before", false, true, less},
			} {
				where, same, sent := test.where, test.same, test.sent
				// No other test has made this layer a blob before.
				layer := registrytest.Layer(uint64(seed), size)
				d := digest.FromBytes(layer)
				if !same && name == "folder" {
					continue
				}
				t.Run(where, func(t *testing.T) {
					first := serveBeside(t, google, section)
					second := first
					if !same {
						second = serveBeside(t, google, section)
					}
					ask := func(method, location string, body io.Reader, want ...int) (next string, answer *http.Response) {
						t.Helper()
						request, err := http.NewRequestWithContext(t.Context(), method, location, body)
						if err != nil {
							t.Fatal(err)
						}
						response, err := http.DefaultClient.Do(request)
						if err != nil {
							t.Fatal(err)
						}
						defer response.Body.Close()
						if text, _ := io.ReadAll(response.Body); !slices.Contains(want, response.StatusCode) {
							t.Fatalf("%s: %s %s", method, response.Status, text)
						}
						return strings.Replace(response.Header.Get("Location"), first.URL, second.URL, 1), response
					}
					repository := "app/" + strings.ReplaceAll(where, " ", "-")
					begun, _ := ask(http.MethodPost, first.URL+"/v2/"+repository+"/blobs/uploads/", nil, http.StatusAccepted)
					body, client := io.Pipe()
					late := make(chan int, 1)
					go func() {
						request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, strings.Replace(begun, second.URL, first.URL, 1), body)
						if err != nil {
							late <- 0
							return
						}
						request.Header.Set("Expect", "100-continue")
						response, err := patient.Do(request)
						if err != nil {
							late <- 0
							return
						}
						response.Body.Close()
						late <- response.StatusCode
					}()
					if _, err := client.Write(layer[:sent-1]); err != nil {
						t.Fatal(err)
					}

					// More of the late request may reach the store after the status was read: then this client asks again.
					location, went := begun, &http.Response{}
					for went.StatusCode != http.StatusAccepted {
						at, status := ask(http.MethodGet, begun, nil, http.StatusNoContent)
						from := 0
						if _, last, _ := strings.Cut(status.Header.Get("Range"), "-"); last != "0" {
							n, err := strconv.Atoi(last)
							if err != nil {
								t.Fatal(err)
							}
							from = n + 1
						}
						location, went = ask(http.MethodPatch, at, bytes.NewReader(layer[from:]), http.StatusAccepted, http.StatusRequestedRangeNotSatisfiable)
					}
					end := func() {
						t.Helper()
						_, _ = client.Write([]byte("X"))
						client.Close()
						// Other stores refuse the late bytes, and the answer tells how little of them is kept.
						sees := same || name == "Swift" || name == "OSS" || name == "Google" || name == "S3" && !test.before
						got := <-late
						if sees && name == "S3" && got == http.StatusServiceUnavailable {
							// The store failed at a part while it removed the upload: a client that tries again is told so.
							return
						}
						if sees && got != http.StatusNotFound {
							t.Errorf("the late request is answered with %d", got)
						}
					}
					want := []int{http.StatusCreated}
					if test.before {
						end()
						if !same {
							// The wrong byte may have become part of the upload, which then does not have that digest.
							want = append(want, http.StatusBadRequest, http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable)
						}
					}
					_, ended := ask(http.MethodPut, location+"&digest="+d.String(), nil, want...)
					if !test.before {
						end()
					}
					if ended.StatusCode != http.StatusCreated {
						ask(http.MethodGet, second.URL+"/v2/"+repository+"/blobs/"+d.String(), nil, http.StatusNotFound)
						return
					}
					response, err := http.Get(second.URL + "/v2/" + repository + "/blobs/" + d.String())
					if err != nil {
						t.Fatal(err)
					}
					defer response.Body.Close()
					content, err := io.ReadAll(response.Body)
					if err != nil || digest.FromBytes(content) != d {
						t.Errorf("the blob has %d bytes, other ones: %v", len(content), err)
					}
				})
			}
		})
	}
}
