package garbage

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus/hooks/test"

	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestAboutByAnotherDigest has a signature name its image by a digest of another algorithm than the image was
// pushed by. The signature stays and goes with the image, and so does what is about the signature.
func TestAboutByAnotherDigest(t *testing.T) {
	by256 := func(t *testing.T, r *rig, tag string, seed uint64) digest.Digest {
		r.Push(t, "app", tag, registrytest.Layer(seed, 100))
		return sum512([]byte(r.content(t, "app", tag)))
	}
	by512 := func(t *testing.T, r *rig, tag string, seed uint64) digest.Digest {
		r.pushBy512(t, "app", tag, seed)
		return digest.FromString(r.content(t, "app", tag))
	}
	for _, test := range []struct {
		name       string
		push       func(t *testing.T, r *rig, tag string, seed uint64) (otherDigest digest.Digest)
		repository string
	}{
		{"sha256, and sha512 of it", by256, "app"},
		{"sha512, and sha256 of it", by512, "app"},
		{"sha256, and sha512 of it in another repository", by256, "signatures"},
		{"sha512, and sha256 of it in another repository", by512, "signatures"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
			about := r.PushAbout(t, test.repository, "", test.push(t, r, "1", 1))
			nested := r.PushAbout(t, test.repository, "", about)
			dangling := r.PushAbout(t, test.repository, "", sum512([]byte("of nothing")))
			want := func(status int, all ...digest.Digest) {
				t.Helper()
				for _, d := range all {
					if got := r.Status(t, http.MethodHead, "/v2/"+test.repository+"/manifests/"+d.String()); got != status {
						t.Errorf("%s: %d", d, got)
					}
				}
			}
			r = serve(t, r.collector.driver, "b", forgetful, r.collector.options)
			r.collect(t, Request{})
			want(http.StatusOK, about, nested)
			want(http.StatusNotFound, dangling)
			test.push(t, r, "2", 2)
			r = serve(t, r.collector.driver, "c", forgetful, Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepTags: []string{"1"}}}}})
			r.collect(t, Request{})
			want(http.StatusOK, about, nested)
			r.Delete(t, "app", "1")
			r = serve(t, r.collector.driver, "d", forgetful, Options{DeleteUntagged: true})
			r.collect(t, Request{})
			want(http.StatusNotFound, about, nested)
		})
	}
}

// TestLogOfTagsThatGo expects the log to name the rule for tags that go by one, and only for them.
func TestLogOfTagsThatGo(t *testing.T) {
	r := serve(t, folder(t), "a", forgetful, Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepTags: []string{"keep"}}}}})
	image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Push(t, "app", layout.ReferrersTag(image), registrytest.Layer(2, 100))
	log, logged := test.NewNullLogger()
	r.collector.log = log.WithField("go", "test")
	r.collect(t, Request{})
	said := map[string]any{}
	for _, entry := range logged.AllEntries() {
		if tag, ok := entry.Data["tag"].(string); ok {
			rule, named := entry.Data["rule"]
			if named != strings.HasPrefix(entry.Message, "retention deleted a tag") || rule == "" {
				t.Errorf("%s: %v", entry.Message, entry.Data)
			}
			said[tag] = rule
		}
	}
	if len(said) != 2 || said["1"] == nil || said[layout.ReferrersTag(image)] != nil {
		t.Error(said)
	}
}
