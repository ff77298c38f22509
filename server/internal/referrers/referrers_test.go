package referrers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/handlers"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/turns"
)

func serve(t testing.TB, driver storagedriver.StorageDriver, prefix string) registrytest.Client {
	t.Helper()
	return serveAround(t, driver, prefix, func(fenced http.Handler) http.Handler { return fenced })
}

// serveAround has something stand around the engine and its fence.
func serveAround(t testing.TB, driver storagedriver.StorageDriver, prefix string, around func(fenced http.Handler) http.Handler) registrytest.Client {
	t.Helper()
	logrus.SetLevel(logrus.FatalLevel)
	config := registrytest.Config(t, driver)
	config.HTTP.Prefix = prefix
	enginestore.Use(config)
	everybody := func(http.ResponseWriter, *http.Request, string) bool { return true }
	engine := Route(handlers.NewApp(t.Context(), config), everybody, Of(NewLister(driver, turns.New(0)), registrytest.Silent()), config.HTTP)
	f := fence.New(driver, t.Name(), fence.TimingOf("inmemory"), fence.NoCache{})
	server := httptest.NewServer(around(f.Handler(engine, prefix)))
	t.Cleanup(server.Close)
	return registrytest.Client{URL: server.URL + strings.TrimSuffix(prefix, "/")}
}

// signature is a manifest about another one.
func signature(subject digest.Digest, name string) v1.Manifest {
	return v1.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    v1.MediaTypeImageManifest,
		ArtifactType: "application/vnd.example." + name,
		Config:       v1.DescriptorEmptyJSON,
		Layers:       []v1.Descriptor{v1.DescriptorEmptyJSON},
		Subject:      &v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: subject, Size: 1},
		Annotations:  map[string]string{"name": name},
	}
}

// answer is one page.
func answer(t testing.TB, client registrytest.Client, path string) (*http.Response, v1.Index) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", v1.MediaTypeImageIndex)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var index v1.Index
	_ = json.NewDecoder(response.Body).Decode(&index)
	return response, index
}

func TestList(t *testing.T) {
	for _, prefix := range []string{"", "/registry/"} {
		client := serve(t, inmemory.New(), prefix)
		const repository = "team/referrers/app"
		image := client.Push(t, repository, "1")
		client.PushBlob(t, repository, v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
		plain := signature(image, "")
		plain.ArtifactType, plain.Annotations, plain.MediaType = "", nil, ""
		index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}, Subject: plain.Subject}
		all := map[digest.Digest]v1.Descriptor{}
		push := func(tag, mediaType, artifactType string, annotations map[string]string, m any) {
			d := client.PushManifest(t, repository, tag, mediaType, m)
			content, _ := json.Marshal(m)
			all[d] = v1.Descriptor{MediaType: mediaType, ArtifactType: artifactType, Digest: d, Size: int64(len(content)), Annotations: annotations}
		}
		push("", v1.MediaTypeImageManifest, "application/vnd.example.a", map[string]string{"name": "a"}, signature(image, "a"))
		push("b", v1.MediaTypeImageManifest, "application/vnd.example.b", map[string]string{"name": "b"}, signature(image, "b"))
		push("", v1.MediaTypeImageManifest, v1.MediaTypeEmptyJSON, nil, plain)
		push("", v1.MediaTypeImageIndex, "", nil, index)
		client.PushAbout(t, repository, "", digest.FromString("another image"))

		path := "/v2/" + repository + "/referrers/" + image.String()
		response, got := answer(t, client, path)
		if response.Header.Get("Content-Type") != v1.MediaTypeImageIndex || got.SchemaVersion != 2 || len(got.Manifests) != len(all) || response.Header.Get("Link") != "" {
			t.Fatalf("%v: %+v", response.Header, got)
		}
		for _, each := range got.Manifests {
			if fmt.Sprint(each) != fmt.Sprint(all[each.Digest]) {
				t.Errorf("%+v instead of %+v", each, all[each.Digest])
			}
		}
		for _, pages := range []string{"?n=1", "?n=2", "?n=4", "?n=100"} {
			if found := client.Referrers(t, repository, image, pages); len(found) != len(all) || !slices.IsSorted(found) {
				t.Errorf("%s: %v", pages, found)
			}
		}
		response, got = answer(t, client, path+"?artifactType=application/vnd.example.b")
		if response.Header.Get("OCI-Filters-Applied") != "artifactType" || len(got.Manifests) != 1 || got.Manifests[0].Annotations["name"] != "b" {
			t.Errorf("%v: %+v", response.Header, got)
		}
		if found := client.Referrers(t, repository, image, "?n=1&artifactType=application/vnd.example.a"); len(found) != 1 {
			t.Errorf("%v", found)
		}
		for _, blank := range []string{"?artifactType=", "?artifactType", "?artifactType=+&artifactType="} {
			response, got = answer(t, client, path+blank)
			if response.Header.Get("OCI-Filters-Applied") != "" || len(got.Manifests) != len(all) {
				t.Errorf("%s: %v: %+v", blank, response.Header, got)
			}
		}
		if found := client.Referrers(t, repository, image, "?n=1&artifactType=&artifactType=application/vnd.example.a"); len(found) != 1 {
			t.Errorf("%v", found)
		}
		if found := client.Referrers(t, "no/such", image, ""); found != nil {
			t.Errorf("%v", found)
		}
		for path, want := range map[string]int{
			"/v2/team/app/referrers/sha256:1":                       400,
			"/v2/team/app/referrers/latest":                         400,
			"/v2/team/app/referrers/md5:00000000000000000000000000": 400,
			path + "?n=0":                     400,
			path + "?n=x":                     400,
			path + "?n=-99999999999999999999": 400,
			path + "?n=99999999999999999999":  200,
			"/v2/" + repository + "/referrers/" + digest.SHA512.FromString("").String(): 200,
			"/v2/Team/referrers/" + image.String():                                      404,
			"/v2/team/app/referrers/":                                                   404,
			"/v2/" + strings.Repeat("a", 256) + "/referrers/" + image.String():          400,
		} {
			if response, _ := answer(t, client, path); response.StatusCode != want {
				t.Errorf("%s: %s", path, response.Status)
			}
		}
	}
}

// TestTypeWithPlus is asked for as people type it, where a plus is a space by the rules of forms.
func TestTypeWithPlus(t *testing.T) {
	client := serve(t, inmemory.New(), "")
	image := client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	for i, artifactType := range []string{"application/spdx+json", "application/spdx+json", "application/in+toto+json; v=a b", "application/json"} {
		m := signature(image, fmt.Sprint(i))
		m.ArtifactType = artifactType
		client.PushManifest(t, "team/app", "", m.MediaType, m)
	}
	for query, want := range map[string]int{
		"?artifactType=application/spdx+json":                               2,
		"?artifactType=application/spdx%2Bjson":                             2,
		"?n=1&artifactType=application/spdx+json":                           2,
		"?artifactType=application/json&artifactType=application/spdx+json": 3,
		"?artifactType=application/in+toto+json%3B+v%3Da+b":                 1,
		"?artifactType=application/spdx":                                    0,
	} {
		if found := client.Referrers(t, "team/app", image, query); len(found) != want {
			t.Errorf("%s: %q", query, found)
		}
	}
	response, _ := answer(t, client, "/v2/team/app/referrers/"+image.String()+"?n=1&artifactType=application/spdx+json")
	if link := response.Header.Get("Link"); !strings.Contains(link, "artifactType=application%2Fspdx%2Bjson&") {
		t.Errorf("the next page is %s", link)
	}
}

// TestLargeList has descriptors of which few go into one answer.
func TestLargeList(t *testing.T) {
	client := serve(t, inmemory.New(), "")
	image := client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	var small, all []digest.Digest
	for i, size := range []int{1500 << 10, 1500 << 10, 100 << 10, 400 << 10, 500 << 10, 60 << 10, 60 << 10, 3 << 10, 1 << 10} {
		m := signature(image, fmt.Sprint(i))
		m.Annotations["large"] = strings.Repeat("x", size)
		d := client.PushManifest(t, "team/app", "", m.MediaType, m)
		if size < large {
			small = append(small, d)
		} else {
			all = append(all, d)
		}
	}
	m := signature(image, "the largest")
	content, _ := json.Marshal(m)
	m.Annotations["large"] = strings.Repeat("x", 4<<20-len(content)-len(`,"large":""`))
	all = append(all, client.PushManifest(t, "team/app", "", m.MediaType, m))
	slices.Sort(small)
	slices.Sort(all)
	all = append(small, all...)
	for _, pages := range []string{"", "?n=1", "?n=2", "?n=5", "?n=100"} {
		if found := client.Referrers(t, "team/app", image, pages); !slices.Equal(found, all) {
			t.Errorf("%s: %v instead of %v", pages, found, all)
		}
	}
	for kind, want := range map[string]int{"0": 1, "8": 1, "9": 0} {
		if found := client.Referrers(t, "team/app", image, "?n=1&artifactType=application/vnd.example."+kind); len(found) != want {
			t.Errorf("of type %s: %v", kind, found)
		}
	}
	// Most clients ask for no other part.
	response, index := answer(t, client, "/v2/team/app/referrers/"+image.String())
	var first []digest.Digest
	for _, each := range index.Manifests {
		first = append(first, each.Digest)
	}
	if response.ContentLength > most+1000 || len(first) < len(small) || !slices.Equal(first[:len(small)], small) {
		t.Errorf("%v in %d bytes instead of %v", first, response.ContentLength, small)
	}
}

// TestLastPage reads no more than what is on it: those that are large are looked for among what is not
// known to be small.
func TestLastPage(t *testing.T) {
	driver := registrytest.NewSpy(inmemory.New())
	client := serve(t, driver, "")
	image := client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	const all, last = 50, 10
	for i := range all {
		m := signature(image, fmt.Sprint(i))
		m.Annotations["text"] = strings.Repeat("x", brief)
		client.PushManifest(t, "team/app", "", m.MediaType, m)
	}
	path := "/v2/team/app/referrers/" + image.String() + "?n=" + fmt.Sprint(all-last)
	_, first := answer(t, client, path)
	links, texts := layout.RepositoryPath("team/app", layout.Revisions), layout.Blobs
	linksBefore, textsBefore := driver.Count("get", links), driver.Count("get", texts)
	_, second := answer(t, client, path+"&last="+first.Manifests[all-last-1].Digest.String())
	if n := len(second.Manifests); n != last {
		t.Fatalf("%d on the last page", n)
	}
	if looked, read := driver.Count("get", links)-linksBefore, driver.Count("get", texts)-textsBefore; looked != last || read != last {
		t.Errorf("looked at %d links, read %d manifests", looked, read)
	}
}

// TestLargeAmongSmall has one more signature that is not hidden by a list of what is in the image.
func TestLargeAmongSmall(t *testing.T) {
	client := serve(t, inmemory.New(), "")
	image := client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	for i := range 6 {
		m := signature(image, fmt.Sprint(i))
		if i == 0 {
			m.Annotations["large"] = strings.Repeat("x", 100<<10)
		}
		client.PushManifest(t, "team/app", "", m.MediaType, m)
	}
	if _, index := answer(t, client, "/v2/team/app/referrers/"+image.String()); len(index.Manifests) != 6 {
		t.Errorf("%d in one answer", len(index.Manifests))
	}
}

// TestNoted is of what clients wrote down when nobody listed it for them.
func TestNoted(t *testing.T) {
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		driver := inmemory.New()
		client := serve(t, driver, "")
		client.Push(t, "team/app", "1")
		subject := algorithm.FromString("an image")
		client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
		about := client.PushManifest(t, "team/app", "", v1.MediaTypeImageManifest, signature(subject, "a"))
		gone := client.PushManifest(t, "team/app", "", v1.MediaTypeImageManifest, signature(subject, "b"))
		other := client.PushAbout(t, "team/app", "", digest.FromString("another image"))
		index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
		for _, d := range []digest.Digest{other, gone, about, about} {
			content, err := driver.GetContent(t.Context(), layout.BlobPath(d))
			if err != nil {
				t.Fatal(err)
			}
			index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: d, Size: int64(len(content))})
		}
		client.PushManifest(t, "team/app", layout.ReferrersTag(subject), index.MediaType, index)
		client.Delete(t, "team/app", gone.String())
		if err := driver.Delete(t.Context(), layout.RepositoryPath("team/app", layout.Referrers)); err != nil {
			t.Fatal(err)
		}
		response, got := answer(t, client, "/v2/team/app/referrers/"+subject.String())
		if len(got.Manifests) != 1 || got.Manifests[0].Digest != about || got.Manifests[0].Annotations["name"] != "a" {
			t.Errorf("%s: %+v", response.Status, got)
		}
	}
}

func TestDeletion(t *testing.T) {
	driver := inmemory.New()
	client := serve(t, driver, "")
	image := client.Push(t, "team/app", "1")
	about := client.PushAbout(t, "team/app", "", image)
	link := layout.ReferrerPath("team/app", image, about)
	for range 2 {
		if found := client.Referrers(t, "team/app", image, ""); !slices.Equal(found, []digest.Digest{about}) {
			t.Errorf("%v", found)
		}
		client.Delete(t, "team/app", about.String())
		if found := client.Referrers(t, "team/app", image, ""); found != nil {
			t.Errorf("%v", found)
		}
		if _, err := driver.Stat(t.Context(), link); !layout.IsMissing(err) {
			t.Errorf("the link is left: %v", err)
		}
		client.PushAbout(t, "team/app", "", image)
	}
	client.Delete(t, "team/app", image.String())
	if found := client.Referrers(t, "team/app", image, ""); !slices.Equal(found, []digest.Digest{about}) {
		t.Errorf("without their subject: %v", found)
	}
	// As a power cut leaves it.
	if err := driver.PutContent(t.Context(), layout.RevisionPath("team/app", about), nil); err != nil {
		t.Fatal(err)
	}
	if found := client.Referrers(t, "team/app", image, ""); found != nil {
		t.Errorf("without a link to them: %v", found)
	}
}

// linkless takes no links to referrers while it is broken.
type linkless struct {
	storagedriver.StorageDriver
	broken atomic.Bool
}

func (l *linkless) PutContent(ctx context.Context, path string, content []byte) error {
	if l.broken.Load() && strings.Contains(path, "/"+layout.Referrers+"/") {
		return errors.New("broken")
	}
	return l.StorageDriver.PutContent(ctx, path, content)
}

func TestPushThatFails(t *testing.T) {
	driver := &linkless{StorageDriver: inmemory.New()}
	client := serve(t, driver, "")
	image := client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	content, _ := json.Marshal(signature(image, "a"))
	push := func() *http.Response {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, client.URL+"/v2/team/app/manifests/signed", strings.NewReader(string(content)))
		request.Header.Set("Content-Type", v1.MediaTypeImageManifest)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response
	}
	driver.broken.Store(true)
	if response := push(); response.StatusCode < 500 || response.Header.Get("OCI-Subject") != "" {
		t.Errorf("%s, subject %q", response.Status, response.Header.Get("OCI-Subject"))
	}
	if tags := client.Tags(t, "team/app"); !slices.Equal(tags, []string{"1"}) {
		t.Errorf("tags %v", tags)
	}
	driver.broken.Store(false)
	if response := push(); response.StatusCode != http.StatusCreated || response.Header.Get("OCI-Subject") != image.String() {
		t.Errorf("%s, subject %q", response.Status, response.Header.Get("OCI-Subject"))
	}
	if found := client.Referrers(t, "team/app", image, ""); len(found) != 1 {
		t.Errorf("%v", found)
	}
}

// TestHostileSubject pushes what no client means.
func TestHostileSubject(t *testing.T) {
	driver := inmemory.New()
	client := serve(t, driver, "")
	client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	content, _ := json.Marshal(signature("SUBJECT", "a"))
	for subject, taken := range map[string]bool{
		`"x"`: false, `7`: false, `[]`: false, `null`: true, `{}`: false,
		`{"digest":"../../../x"}`: false, `{"digest":"sha256:../../x"}`: false, `{"digest":"blake3:00"}`: false, `{"digest":7}`: false,
	} {
		from := strings.Index(string(content), `{"mediaType":"`+v1.MediaTypeImageManifest+`","digest":"SUBJECT"`)
		to := from + strings.Index(string(content[from:]), "}") + 1
		body := string(content[:from]) + subject + string(content[to:])
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, client.URL+"/v2/team/app/manifests/x", strings.NewReader(body))
		request.Header.Set("Content-Type", v1.MediaTypeImageManifest)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if created := response.StatusCode == http.StatusCreated; created != taken || !created && response.StatusCode != http.StatusBadRequest || response.Header.Get("OCI-Subject") != "" {
			t.Errorf("%s: %s, subject %q", subject, response.Status, response.Header.Get("OCI-Subject"))
		}
	}
	if _, err := driver.Stat(t.Context(), layout.RepositoryPath("team/app", layout.Referrers)); !layout.IsMissing(err) {
		t.Errorf("a link was written: %v", err)
	}
}

// TestOtherAlgorithm has images and what is about them named by sha512.
func TestOtherAlgorithm(t *testing.T) {
	client := serve(t, inmemory.New(), "")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	push := func(m v1.Manifest, query string) (digest.Digest, *http.Response) {
		content, _ := json.Marshal(m)
		d := digest.SHA512.FromBytes(content)
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, client.URL+"/v2/team/app/manifests/"+d.String()+query, strings.NewReader(string(content)))
		request.Header.Set("Content-Type", v1.MediaTypeImageManifest)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return d, response
	}
	image := signature("", "image")
	image.Subject = nil
	subject, response := push(image, "?tag=1.0&tag=latest&tag=1.0")
	if response.StatusCode != http.StatusCreated || !slices.Equal(response.Header.Values("OCI-Tag"), []string{"1.0, latest"}) || response.Header.Get("Docker-Content-Digest") != subject.String() {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	about, response := push(signature(subject, "a"), "")
	if response.Header.Get("OCI-Subject") != subject.String() {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	if found := client.Referrers(t, "team/app", subject, ""); !slices.Equal(found, []digest.Digest{about}) {
		t.Errorf("%v", found)
	}
	for _, reference := range []string{"1.0", "latest", subject.String()} {
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, client.URL+"/v2/team/app/manifests/"+reference, nil)
		request.Header.Set("Accept", v1.MediaTypeImageManifest)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if digest.SHA512.FromBytes(content) != subject || response.Header.Get("Docker-Content-Digest") != subject.String() {
			t.Errorf("%s: %s %v", reference, response.Status, response.Header)
		}
	}
	image.ArtifactType = "another"
	for _, tag := range []string{"a/b", "-", "", strings.Repeat("a", 129)} {
		if _, response := push(image, "?tag="+tag); response.StatusCode != http.StatusBadRequest {
			t.Errorf("tag %q: %s", tag, response.Status)
		}
	}
	if tags := client.Tags(t, "team/app"); !slices.Equal(tags, []string{"1.0", "latest"}) {
		t.Errorf("tags %v", tags)
	}
	// The types by which the engine is told of the algorithm are not for clients.
	content, _ := json.Marshal(image)
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodPut, client.URL+"/v2/team/app/manifests/odd", strings.NewReader(string(content)))
	request.Header.Set("Content-Type", "Application/vnd.container-registry.sha512+vnd.oci.image.manifest.v1+json")
	odd, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	odd.Body.Close()
	if got := odd.Header.Get("Docker-Content-Digest"); odd.StatusCode == http.StatusCreated && got != digest.FromBytes(content).String() {
		t.Errorf("%s %s", odd.Status, got)
	}
}

// BenchmarkThousand lists a thousand referrers of one image.
func BenchmarkThousand(b *testing.B) {
	driver := inmemory.New()
	client := serve(b, driver, "")
	image := client.Push(b, "team/app", "1")
	client.PushBlob(b, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	for i := range 1000 {
		client.PushManifest(b, "team/app", "", v1.MediaTypeImageManifest, signature(image, fmt.Sprint(i)))
	}
	var longest time.Duration
	for b.Loop() {
		began := time.Now()
		if found := client.Referrers(b, "team/app", image, ""); len(found) != 1000 {
			b.Fatal(len(found))
		}
		longest = max(longest, time.Since(began))
	}
	b.ReportMetric(float64(longest.Milliseconds()), "longest-ms")
}
