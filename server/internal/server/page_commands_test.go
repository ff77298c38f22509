package server

import (
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/registrytest"
)

// TestPageCommands has commands that can be pasted. For what Docker cannot unpack there is no command of
// Docker's, and ORAS is told to use TLS where it would use none.
func TestPageCommands(t *testing.T) {
	folder := t.TempDir()
	called := func(host string) *browser {
		config := registrytest.Parse(t, "http: {secret: abc}\nstorage: {filesystem: {rootdirectory: "+folder+"}}\n")
		config.HTTP.Host = host
		return browse(t, config, "#!anonymous pull team-a/*\n")
	}
	client := called("").client(t, "alice")
	client.PushAbout(t, "team-a/app", "sbom", client.Push(t, "team-a/app", "1"))
	config := v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: v1.DescriptorEmptyJSON.Digest, Size: v1.DescriptorEmptyJSON.Size}
	layer := config
	layer.MediaType = v1.MediaTypeImageLayerGzip + "+encrypted"
	client.PushBlob(t, "team-a/secret", config.Digest, v1.DescriptorEmptyJSON.Data)
	secret := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: config, Layers: []v1.Descriptor{layer}}
	secret.SchemaVersion = 2
	client.PushManifest(t, "team-a/secret", "1", v1.MediaTypeImageManifest, secret)

	for host, want := range map[string]string{
		"https://localhost:5000":        "oras pull localhost:5000/team-a/app:sbom --plain-http=false<",
		"https://localhost":             "oras pull localhost/team-a/app:sbom --plain-http=false<",
		"http://localhost:5000":         "oras pull localhost:5000/team-a/app:sbom<",
		"https://127.0.0.1:5000":        "oras pull 127.0.0.1:5000/team-a/app:sbom<",
		"https://localhost.example.com": "oras pull localhost.example.com/team-a/app:sbom<",
	} {
		called(host).get(t, "/ui/r/team-a/app:sbom").contains(t, want)
	}
	b := called("https://localhost:5000")
	const command = "skopeo copy --decryption-key KEY docker://localhost:5000/team-a/secret:1 oci-archive:secret.tar"
	b.get(t, "/ui/r/team-a/secret:1").contains(t, "encrypted image<", command, "not docker pull")
	b.get(t, "/ui/r/team-a/secret").contains(t, "encrypted image<", command, "not docker pull")
}
