package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestSameInputSameBytes(t *testing.T) {
	first, firstIDs := pack(t, "server")
	second, secondIDs := pack(t, "server")
	if !bytes.Equal(first, second) || firstIDs != secondIDs {
		t.Error("two images of the same server differ")
	}
	if _, otherIDs := pack(t, "another server"); otherIDs.config == firstIDs.config || otherIDs.manifest == firstIDs.manifest {
		t.Error("images of different servers have the same ID")
	}
}

func TestArchive(t *testing.T) {
	archive, ids := pack(t, "server")
	files := untar(t, archive)
	var docker []dockerManifest
	unmarshal(t, files["manifest.json"].content, &docker)
	if len(docker) != 1 || docker[0].RepoTags[0] != "container-registry:test" || len(docker[0].Layers) != 1 {
		t.Fatalf("manifest.json: %+v", docker)
	}
	for name, file := range files {
		if want := filepath.Base(name); len(want) == 64 && digest.FromBytes(file.content).Encoded() != want {
			t.Errorf("%s holds something else", name)
		}
	}
	var index v1.Index
	unmarshal(t, files["index.json"].content, &index)
	var manifest v1.Manifest
	unmarshal(t, files[blob(index.Manifests[0].Digest)].content, &manifest)
	if manifest.Config.Digest != ids.config || blob(ids.config) != docker[0].Config || blob(manifest.Layers[0].Digest) != docker[0].Layers[0] {
		t.Error("the two manifests disagree")
	}
	if index.Manifests[0].Digest != ids.manifest {
		t.Error("the index names another manifest")
	}
	var config v1.Image
	unmarshal(t, files[blob(ids.config)].content, &config)
	if config.Config.User != "65532:65532" || config.Created.Unix() != 0 || config.RootFS.DiffIDs[0] != manifest.Layers[0].Digest {
		t.Errorf("config: %+v", config)
	}
	for _, label := range []string{v1.AnnotationTitle, v1.AnnotationDescription, v1.AnnotationSource, v1.AnnotationLicenses, v1.AnnotationVersion} {
		if config.Config.Labels[label] == "" {
			t.Errorf("label %s is missing", label)
		}
	}
}

func TestRootFileSystem(t *testing.T) {
	layer, err := rootFileSystem(binary(t, "server"), time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	files := untar(t, layer)
	tests := []struct {
		name  string
		mode  int64
		owner int
	}{
		{"registry", 0o755, 0},
		{"etc/passwd", 0o644, 0},
		{"etc/group", 0o644, 0},
		{"etc/container-registry/", 0o700, user},
		{"var/lib/registry/", 0o700, user},
		{"tmp/", 0o1777, user},
	}
	for _, test := range tests {
		file, ok := files[test.name]
		if !ok || file.header.Mode != test.mode || file.header.Uid != test.owner || file.header.Gid != test.owner {
			t.Errorf("%s: %+v", test.name, file.header)
		}
	}
	if !x509.NewCertPool().AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"].content) {
		t.Error("no root certificates")
	}
}

func TestSourceDate(t *testing.T) {
	tests := []struct {
		value string
		want  int64
		bad   bool
	}{{"", 0, false}, {"1700000000", 1700000000, false}, {"today", 0, true}}
	for _, test := range tests {
		t.Setenv("SOURCE_DATE_EPOCH", test.value)
		got, err := sourceDate()
		if (err != nil) != test.bad || (err == nil && got.Unix() != test.want) {
			t.Errorf("%q: %v, %v", test.value, got, err)
		}
	}
}

func pack(t *testing.T, server string) ([]byte, imageIDs) {
	t.Helper()
	layer, err := rootFileSystem(binary(t, server), time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	ids, archive, err := imageArchive(layer, "amd64", "container-registry:test", time.Unix(0, 0).UTC())
	if err != nil {
		t.Fatal(err)
	}
	return archive, ids
}

func binary(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "registry")
	if err := os.WriteFile(name, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

type packed struct {
	header  *tar.Header
	content []byte
}

func untar(t *testing.T, archive []byte) map[string]packed {
	t.Helper()
	files := map[string]packed{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = packed{header, content}
	}
}

func unmarshal(t *testing.T, content []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatal(err)
	}
}
