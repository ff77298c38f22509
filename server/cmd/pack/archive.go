package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/version"
)

// dockerManifest is the entry of manifest.json that `docker load` reads; the rest
// of the archive is an OCI image layout.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// imageIDs are what `docker image inspect` shows as the image's ID: an engine with
// the containerd image store takes the manifest's digest, another the configuration's.
type imageIDs struct {
	manifest, config digest.Digest
}

// imageArchive puts the layer into an archive for `docker load`.
func imageArchive(layer []byte, architecture, tag string, created time.Time) (ids imageIDs, archive []byte, err error) {
	layerDigest := digest.FromBytes(layer)
	config, err := json.Marshal(imageConfig(layerDigest, architecture, created))
	if err != nil {
		return imageIDs{}, nil, err
	}
	ids.config = digest.FromBytes(config)

	manifest, err := json.Marshal(v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest,
		Config:    v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: ids.config, Size: int64(len(config))},
		Layers:    []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: layerDigest, Size: int64(len(layer))}},
	})
	if err != nil {
		return imageIDs{}, nil, err
	}
	ids.manifest = digest.FromBytes(manifest)
	index, err := json.Marshal(v1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageIndex,
		Manifests: []v1.Descriptor{{
			MediaType:   v1.MediaTypeImageManifest,
			Digest:      ids.manifest,
			Size:        int64(len(manifest)),
			Annotations: map[string]string{"io.containerd.image.name": "docker.io/library/" + tag, v1.AnnotationRefName: tagOf(tag)},
			Platform:    &v1.Platform{OS: "linux", Architecture: architecture},
		}},
	})
	if err != nil {
		return imageIDs{}, nil, err
	}
	docker, err := json.Marshal([]dockerManifest{{Config: blob(ids.config), RepoTags: []string{tag}, Layers: []string{blob(layerDigest)}}})
	if err != nil {
		return imageIDs{}, nil, err
	}
	layout, err := json.Marshal(v1.ImageLayout{Version: v1.ImageLayoutVersion})
	if err != nil {
		return imageIDs{}, nil, err
	}
	archive, err = tarOf([]file{
		{name: "blobs/", mode: 0o755},
		{name: "blobs/sha256/", mode: 0o755},
		{name: blob(ids.config), mode: 0o644, content: config},
		{name: blob(layerDigest), mode: 0o644, content: layer},
		{name: blob(ids.manifest), mode: 0o644, content: manifest},
		{name: v1.ImageIndexFile, mode: 0o644, content: index},
		{name: "manifest.json", mode: 0o644, content: docker},
		{name: v1.ImageLayoutFile, mode: 0o644, content: layout},
	}, created)
	return ids, archive, err
}

func imageConfig(layer digest.Digest, architecture string, created time.Time) v1.Image {
	return v1.Image{
		Created:  &created,
		Platform: v1.Platform{OS: "linux", Architecture: architecture},
		Config: v1.ImageConfig{
			User:         fmt.Sprintf("%d:%d", user, user),
			ExposedPorts: map[string]struct{}{"5000/tcp": {}},
			Env:          []string{"PATH=/"},
			Entrypoint:   []string{"/registry"},
			Cmd:          []string{"serve", "/etc/container-registry/config.yml"},
			WorkingDir:   "/",
			Labels: map[string]string{
				v1.AnnotationTitle:       "container-registry",
				v1.AnnotationDescription: "A private container registry on the distribution engine",
				v1.AnnotationSource:      "https://github.com/distribution/distribution",
				v1.AnnotationLicenses:    "Apache-2.0",
				v1.AnnotationVersion:     version.Version,
			},
		},
		RootFS:  v1.RootFS{Type: "layers", DiffIDs: []digest.Digest{layer}},
		History: []v1.History{{Created: &created, CreatedBy: "container-registry server/cmd/pack"}},
	}
}

func blob(d digest.Digest) string {
	return "blobs/sha256/" + d.Encoded()
}

// tagOf is what stands after the last colon of name:tag.
func tagOf(reference string) string {
	for i := len(reference) - 1; i >= 0; i-- {
		if reference[i] == ':' {
			return reference[i+1:]
		}
	}
	return reference
}
