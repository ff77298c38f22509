package writes

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/access"
	"container-registry/server/internal/layout"
)

func TestHandler(t *testing.T) {
	before, now := digest.FromString("before"), digest.FromString("now")
	driver := inmemory.New()
	for tag, d := range map[string]digest.Digest{"latest": before, "1.0": before, "2.0": now} {
		if err := driver.PutContent(t.Context(), layout.TagPath("team/app", tag), []byte(d)); err != nil {
			t.Fatal(err)
		}
	}
	pushed := Write{Action: Push, Kind: Manifest, MediaType: v1.MediaTypeImageManifest, Size: 2, Digest: now}
	tests := []struct {
		name, method, path string
		status             int
		want               *Write
	}{
		{"a tag that moves", http.MethodPut, "manifests/latest", http.StatusCreated, with(pushed, TagChange{"latest", before})},
		{"a new tag", http.MethodPut, "manifests/3.0", http.StatusCreated, with(pushed, TagChange{"3.0", ""})},
		{"by its digest", http.MethodPut, "manifests/" + now.String(), http.StatusCreated, with(pushed)},
		{"with two tags", http.MethodPut, "manifests/" + now.String() + "?tag=latest&tag=4", http.StatusCreated, with(pushed, TagChange{"latest", before}, TagChange{"4", ""})},
		{"with what is no tag", http.MethodPut, "manifests/" + now.String() + "?tag=../tags/latest", http.StatusCreated, with(pushed, TagChange{"../tags/latest", ""})},
		{"a refused push", http.MethodPut, "manifests/latest", http.StatusBadRequest, nil},
		{"a tag's deletion", http.MethodDelete, "manifests/latest", http.StatusAccepted, &Write{Action: Delete, Kind: Tag, Tags: []TagChange{{"latest", before}}}},
		{"a manifest's deletion", http.MethodDelete, "manifests/" + before.String(), http.StatusAccepted,
			&Write{Action: Delete, Kind: Manifest, Digest: before, Tags: []TagChange{{"1.0", before}, {"latest", before}}}},
		{"a deletion of nothing", http.MethodDelete, "manifests/none", http.StatusNotFound, nil},
		{"a blob", http.MethodPut, "blobs/uploads/0f6e8a2c-4f0e-4c55-8a3f-1d4a0d7b9d11", http.StatusCreated, &Write{Action: Push, Kind: Blob, Digest: now}},
		{"a mounted blob", http.MethodPost, "blobs/uploads/?mount=" + now.String() + "&from=other", http.StatusCreated, &Write{Action: Push, Kind: Blob, Digest: now}},
		{"an upload that begins", http.MethodPost, "blobs/uploads/", http.StatusAccepted, nil},
		{"a blob's deletion", http.MethodDelete, "blobs/" + before.String(), http.StatusAccepted, &Write{Action: Delete, Kind: Blob, Digest: before}},
		{"a tag pushed in chunks", http.MethodPut, "manifests/3.0", http.StatusCreated, with(pushed, TagChange{"3.0", ""})},
		{"a pull", http.MethodGet, "manifests/latest", http.StatusOK, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got *Write
			answer := httptest.NewRecorder()
			engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				w.Header().Set("Docker-Content-Digest", now.String())
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(test.status)
			})
			observe := func(_ context.Context, w Write) { got = &w }
			r := httptest.NewRequest(test.method, "/p/v2/team/app/"+test.path, strings.NewReader("{}"))
			if strings.Contains(test.name, "in chunks") {
				r.ContentLength = -1
			}
			r.Header.Set("Content-Type", v1.MediaTypeImageManifest)
			r.Header.Set("User-Agent", "docker/29")
			Handler(engine, driver, "/p/", observe).ServeHTTP(answer, r)
			if got != nil {
				if got.Time.IsZero() || got.Address != r.RemoteAddr || got.UserAgent != "docker/29" || got.Repository != "team/app" {
					t.Errorf("%+v", got)
				}
				got.Time, got.Address, got.UserAgent, got.Repository = time.Time{}, "", "", ""
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func with(w Write, tags ...TagChange) *Write {
	w.Tags = tags
	return &w
}

// TestWithoutPast has observers who do not want to know what tags named before.
func TestWithoutPast(t *testing.T) {
	d := digest.FromString("manifest")
	for _, test := range []struct {
		method, reference string
		status            int
		want              []TagChange
	}{
		{http.MethodPut, "latest", http.StatusCreated, []TagChange{{"latest", ""}}},
		{http.MethodDelete, "latest", http.StatusAccepted, []TagChange{{"latest", ""}}},
		{http.MethodDelete, d.String(), http.StatusAccepted, nil},
	} {
		var told []TagChange
		engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(test.status) })
		observe := func(_ context.Context, w Write) { told = w.Tags }
		Handler(engine, nil, "", observe).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(test.method, "/v2/team/app/manifests/"+test.reference, nil))
		if !reflect.DeepEqual(told, test.want) {
			t.Errorf("%s %s: %v", test.method, test.reference, told)
		}
	}
}

// unasked fails where it is asked for anything.
type unasked struct {
	storagedriver.StorageDriver
	t *testing.T
}

func (u unasked) List(_ context.Context, path string) ([]string, error) {
	u.t.Errorf("%s was listed", path)
	return nil, nil
}

func (u unasked) GetContent(_ context.Context, path string) ([]byte, error) {
	u.t.Errorf("%s was read", path)
	return nil, nil
}

// TestNothingIsAskedFor for a write that is going to be refused: whoever may pull could have all
// tags of a repository read.
func TestNothingIsAskedFor(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("wonder"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, append([]byte("#!access carol pull\ncarol:"), hash...), 0o600); err != nil {
		t.Fatal(err)
	}
	config := &configuration.Configuration{Auth: configuration.Auth{"htpasswd": {"realm": "test", "path": file}}}
	controller, err := access.New(config, logrus.NewEntry(logrus.New()))
	if err != nil {
		t.Fatal(err)
	}
	reached := 0
	engine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached++ })
	handler := controller.Handler(Handler(engine, unasked{t: t}, "", func(context.Context, Write) {}), nil)
	d := digest.FromString("none").String()
	for _, each := range []struct{ method, reference string }{
		{http.MethodPut, "latest"}, {http.MethodPut, d + "?tag=latest"}, {http.MethodDelete, "latest"}, {http.MethodDelete, d},
	} {
		r := httptest.NewRequest(each.method, "/v2/team/app/manifests/"+each.reference, nil)
		r.SetBasicAuth("carol", "wonder")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	if reached != 4 {
		t.Errorf("%d requests reached the engine", reached)
	}
}
