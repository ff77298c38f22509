package writes

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/layout"
)

func TestHandler(t *testing.T) {
	before, now := digest.FromString("before"), digest.FromString("now")
	pushed := Write{Action: Push, Kind: Manifest, MediaType: v1.MediaTypeImageManifest, Size: 2, Digest: now}
	tests := []struct {
		name, method, path string
		status             int
		want               *Write
	}{
		{"a tag that moves", http.MethodPut, "manifests/latest", http.StatusCreated, with(pushed, TagChange{"latest", before})},
		{"a new tag", http.MethodPut, "manifests/3.0", http.StatusCreated, with(pushed, TagChange{"3.0", ""})},
		{"by its digest", http.MethodPut, "manifests/" + now.String(), http.StatusCreated, with(pushed)},
		{"with two tags", http.MethodPut, "manifests/" + now.String() + "?tag=latest&tag=4", http.StatusCreated, with(pushed, TagChange{"4", ""}, TagChange{"latest", before})},
		{"a refused push", http.MethodPut, "manifests/latest", http.StatusBadRequest, nil},
		{"a tag's deletion", http.MethodDelete, "manifests/latest", http.StatusAccepted, &Write{Action: Delete, Kind: Tag, Tags: []TagChange{{"latest", before}}}},
		{"a manifest's deletion", http.MethodDelete, "manifests/" + before.String(), http.StatusAccepted,
			&Write{Action: Delete, Kind: Manifest, Digest: before, Tags: []TagChange{{"1.0", before}, {"latest", before}}}},
		{"a deletion of nothing", http.MethodDelete, "manifests/none", http.StatusNotFound, nil},
		{"a blob", http.MethodPut, "blobs/uploads/0f6e8a2c-4f0e-4c55-8a3f-1d4a0d7b9d11", http.StatusCreated, &Write{Action: Push, Kind: Blob, Digest: now}},
		{"a mounted blob", http.MethodPost, "blobs/uploads/?mount=" + now.String() + "&from=other", http.StatusCreated, &Write{Action: Push, Kind: Blob, Digest: now}},
		{"an upload that begins", http.MethodPost, "blobs/uploads/", http.StatusAccepted, nil},
		{"a blob's deletion", http.MethodDelete, "blobs/" + before.String(), http.StatusAccepted, &Write{Action: Delete, Kind: Blob, Digest: before}},
		{"a type in capitals", http.MethodPut, "manifests/3.0", http.StatusCreated, with(pushed, TagChange{"3.0", ""})},
		{"a type with a parameter", http.MethodPut, "manifests/3.0", http.StatusCreated, with(pushed, TagChange{"3.0", ""})},
		{"a tag pushed in chunks", http.MethodPut, "manifests/3.0", http.StatusCreated, with(pushed, TagChange{"3.0", ""})},
		{"a pull", http.MethodGet, "manifests/latest", http.StatusOK, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			driver := inmemory.New()
			for tag, d := range map[string]digest.Digest{"latest": before, "1.0": before, "2.0": now} {
				if err := driver.PutContent(t.Context(), layout.TagPath("team/app", tag), []byte(d)); err != nil {
					t.Fatal(err)
				}
			}
			var got *Write
			held := 0
			holdBack := func() func() {
				held++
				return func() { held-- }
			}
			answer := httptest.NewRecorder()
			engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					t.Error(err)
				}
				if err := change(r.Context(), driver, test.want); err != nil {
					t.Error(err)
				}
				w.Header().Set("Docker-Content-Digest", now.String())
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(test.status)
			})
			observe := func(_ context.Context, w Write) {
				got = &w
				if held != 1 {
					t.Errorf("%d hold back what happens later", held)
				}
			}
			r := httptest.NewRequest(test.method, "/p/v2/team/app/"+test.path, strings.NewReader("{}"))
			if strings.Contains(test.name, "in chunks") {
				r.ContentLength = -1
			}
			switch mediaType := v1.MediaTypeImageManifest; test.name {
			case "a type in capitals":
				r.Header.Set("Content-Type", strings.ToUpper(mediaType))
			case "a type with a parameter":
				r.Header.Set("Content-Type", mediaType+` ; a="x\"y"`)
			default:
				r.Header.Set("Content-Type", mediaType)
			}
			r.Header.Set("User-Agent", "docker/29")
			Handler(engine, holdBack, "/p/", observe).ServeHTTP(answer, r)
			if held != 0 {
				t.Errorf("%d hold back afterwards", held)
			}
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

// change does to tags, as the fence does, what a write is said to have done.
func change(ctx context.Context, driver storagedriver.StorageDriver, w *Write) error {
	if w == nil {
		return nil
	}
	locks := enginestore.NewTagLocks()
	if w.Action == Push {
		_, stored := enginestore.HoldTags(ctx)
		stored.Manifest = w.Digest
		for _, tag := range w.Tags {
			stored.Tag("team/app", tag.Name)
		}
		return stored.Write(ctx, driver, locks)
	}
	announce := func(ctx context.Context, _ string, untag func(context.Context, func() error) error) error {
		return untag(ctx, func() error { return nil })
	}
	_, deletion := enginestore.Delete(ctx, w.Digest, locks, announce)
	for _, tag := range w.Tags {
		if err := deletion.Untag(ctx, driver, layout.TagFolder(layout.TagPath("team/app", tag.Name))); err != nil {
			return err
		}
	}
	return nil
}

func with(w Write, tags ...TagChange) *Write {
	w.Tags = tags
	return &w
}

// TestWithoutPast has observers that do not need to know what tags named before.
func TestWithoutPast(t *testing.T) {
	d := digest.FromString("manifest")
	for _, test := range []struct {
		method, reference string
		status            int
		want              []TagChange
	}{
		{http.MethodPut, "latest", http.StatusCreated, []TagChange{{"latest", ""}}},
		{http.MethodPut, d.String() + "?tag=b&tag=a&tag=b", http.StatusCreated, []TagChange{{"a", ""}, {"b", ""}}},
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
