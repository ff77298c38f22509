package simulation

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/descriptors"
	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// newEngine is called once: the engine's broadcaster of events never ends, so it can't run in a bubble of
// synctest.
func newEngine(t *testing.T) http.Handler {
	t.Helper()
	logrus.SetOutput(io.Discard)
	config := registrytest.Config(t, byRequest{})
	config.HTTP.Secret = "a secret"
	enginestore.Use(config)
	// If the engine has a cache at all, it takes the one in the request.
	return handlers.NewApp(context.Background(), config)
}

// server is one process.
type server struct {
	*machine
	handler   http.Handler
	collector *garbage.Collector
}

// world is one schedule.
type world struct {
	*store
	engine http.Handler
	timing fence.Timing

	mutex   sync.Mutex
	servers []*server
	// promised are the tags that must lead to whole images, until somebody deletes them, and the digests
	// by which images were pushed that something has yet to name.
	promised map[string]image
	// byDigest are the deletions of manifests with all tags that name them.
	byDigest map[string]*byDigest
	// problem is the first thing that is wrong, and story what happened before it.
	problem string
	story   []string
	// These count what happened, for the report.
	pushes, refusals, collections, deletions int
}

// image is a manifest and what it needs.
type image struct {
	repository string
	digest     digest.Digest
	blobs      []blob
	parts      []image
	// subject is the manifest that it is about, if any.
	subject digest.Digest
}

// byDigest counts the deletions of a manifest that have begun, and those of them that are under way.
type byDigest struct{ begun, underWay int }

// deletionsOf counts the deletions of a manifest, or without a digest those of all manifests in a
// repository. It is called with the lock held.
func (w *world) deletionsOf(i image) *byDigest {
	name := i.repository + "@" + i.digest.String()
	if w.byDigest[name] == nil {
		w.byDigest[name] = &byDigest{}
	}
	return w.byDigest[name]
}

// blob is a configuration or a layer. One that was pushed by a digest of another algorithm is kept by
// a digest of the engine's own.
type blob struct {
	digest, kept digest.Digest
	content      []byte
}

func blobOf(content []byte, algorithm digest.Algorithm) blob {
	return blob{algorithm.FromBytes(content), digest.FromBytes(content), content}
}

func newWorld(seed uint64, p profile, engine http.Handler) *world {
	timing := fence.TimingOf("s3aws")
	if p.lag > 0 {
		timing = fence.TimingOf("swift")
	}
	w := &world{store: newStore(seed, p, timing.Expiry/2), engine: engine, timing: timing, promised: map[string]image{}, byDigest: map[string]*byDigest{}}
	w.store.deleted = func(path string) {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.deletions++
		w.checkAll("after the deletion of " + path)
	}
	for i := range p.servers {
		w.servers = append(w.servers, w.start(string(rune('a'+i))))
	}
	return w
}

// start starts a process with a name, the successor of one that is dead.
func (w *world) start(name string) *server {
	config := &configuration.Configuration{Storage: configuration.Storage{"cache": {"blobdescriptor": "inmemory"}}}
	caches, err := descriptors.Take(config, registrytest.Silent())
	if err != nil {
		panic(err)
	}
	m := newMachine(w.store, name)
	f := fence.NewWithClock(m, name, w.timing, caches, m.clock)
	m.kill = func() { w.later.Go(func() { w.kill(m, time.Duration(m.draw(int(15*time.Second), "back "+name))) }) }
	options := garbage.Options{
		DeleteUntagged: w.seed%3 != 0,
		Retention:      retention.Policy{Rules: []retention.Rule{{Repositories: []string{"kept/*"}, KeepNewest: 2}}},
	}
	return &server{m, f.Handler(w.engine, ""), garbage.New(m, f, options, registrytest.Silent())}
}

func (w *world) server(random *rand.Rand) *server {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.servers[random.IntN(len(w.servers))]
}

// wrong notes a problem. It is called with the lock held.
func (w *world) wrong(format string, values ...any) {
	if w.problem == "" {
		defer func() { w.story = w.last(120) }()
		w.problem = fmt.Sprintf("%9.3f ", time.Since(w.began).Seconds()) + fmt.Sprintf(format, values...)
		w.note("WRONG: %s", w.problem)
	}
}

// missing is what an image lacks. It is empty for a whole one.
func (w *world) missing(i image) string {
	for _, each := range []string{
		layout.BlobPath(i.digest),
		layout.LinkPath(layout.RepositoryPath(i.repository, layout.Revisions), i.digest),
	} {
		if !w.exists(each) {
			return each
		}
	}
	if i.subject != "" {
		if link := layout.ReferrerPath(i.repository, i.subject, i.digest); !w.exists(link) {
			return link
		}
	}
	for _, b := range i.blobs {
		for _, each := range []string{layout.BlobPath(b.kept), layout.LinkPath(layout.RepositoryPath(i.repository, layout.Layers), b.digest)} {
			if !w.exists(each) {
				return each
			}
		}
	}
	for _, part := range i.parts {
		if lost := w.missing(part); lost != "" {
			return lost
		}
	}
	return ""
}

// checkAll is called with the lock held.
func (w *world) checkAll(when string) {
	for tag, i := range w.promised {
		if lost := w.missing(i); lost != "" {
			w.wrong("%s: %s (%s) was pushed and is not whole: %s is missing", when, tag, i.digest, lost)
		}
	}
}

// answer is what a client gets; a status of 0 is none.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// refused says whether the server refused the request, and not that it can't tell what became of it.
func (a answer) refused() bool {
	said := func(text string) bool { return bytes.Contains(a.body, []byte(text)) }
	return a.status >= 400 && a.status < 500 || a.status == http.StatusServiceUnavailable && (said("pauses all writes") || said("gives no answer in time"))
}

func (w *world) send(s *server, method, target, mediaType string, body []byte) answer {
	ctx, cancel := context.WithTimeout(context.WithValue(context.Background(), machineKey{}, s.machine), 5*time.Minute)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if mediaType != "" {
		r.Header.Set("Content-Type", mediaType)
	}
	r.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json")
	if s.awake() != nil {
		return answer{}
	}
	began := time.Now()
	recorder := httptest.NewRecorder()
	s.handler.ServeHTTP(recorder, r)
	took := time.Since(began)
	if s.awake() != nil || ctx.Err() != nil {
		return answer{}
	}
	w.note("%s: %s %s: %d after %s %.200s", s.name, method, target, recorder.Code, took, recorder.Body)
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if limit := w.timing.Patience + w.waits(); w.calm() && method != http.MethodHead && took > limit {
		w.wrong("%s %s took %s", method, target, took)
	}
	return answer{recorder.Code, recorder.Result().Header, recorder.Body.Bytes()}
}

// client does one thing after another. No other client uses its tags.
type client struct {
	*world
	*rand.Rand
	number int
}

var contents = func() [][]byte {
	var all [][]byte
	for n := range 6 {
		all = append(all, fmt.Appendf(nil, "layer %d", n))
	}
	return all
}()

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	indexType    = "application/vnd.oci.image.index.v1+json"
)

func (c *client) run(until time.Time) {
	for round := 0; time.Now().Before(until); round++ {
		time.Sleep(time.Duration(c.IntN(4000)) * time.Millisecond)
		repository := fmt.Sprintf("team/app-%d", c.IntN(2))
		tag := fmt.Sprintf("c%d-%d", c.number, c.IntN(3))
		switch c.IntN(10) {
		case 0, 1:
			c.pushImage(repository, tag)
		case 2, 3:
			c.pushSame(repository, tag)
		case 4:
			c.pushImage(fmt.Sprintf("kept/c%d", c.number), fmt.Sprintf("r%d", round))
		case 5:
			c.pushIndex(repository, tag)
		case 6:
			c.retag(repository)
		case 7:
			c.delete(repository, tag)
		case 8:
			same, _ := c.sameImage(repository)
			c.deleteManifest(same)
		default:
			c.pushReferrer(repository)
		}
	}
}

// descriptor is what a manifest says of its parts.
func descriptor(mediaType string, d digest.Digest, size int) map[string]any {
	return map[string]any{"mediaType": mediaType, "digest": d, "size": size}
}

// push uploads a blob unless it is there, and says whether that worked.
func (c *client) push(repository string, b blob) bool {
	d := b.digest
	s := c.server(c.Rand)
	if c.send(s, http.MethodHead, "/v2/"+repository+"/blobs/"+d.String(), "", nil).status == http.StatusOK {
		return true
	}
	query := ""
	if c.IntN(2) == 0 {
		query = fmt.Sprintf("?mount=%s&from=team/app-%d", d, c.IntN(2))
	}
	begun := c.send(s, http.MethodPost, "/v2/"+repository+"/blobs/uploads/"+query, "", nil)
	if begun.status != http.StatusAccepted {
		return begun.status == http.StatusCreated
	}
	time.Sleep(time.Duration(c.IntN(500)) * time.Millisecond)
	return c.send(s, http.MethodPut, begun.header.Get("Location")+"&digest="+d.String(), "application/octet-stream", b.content).status == http.StatusCreated
}

// pushBlobs pushes all blobs of an image, without its manifest, and says whether that worked.
func (c *client) pushBlobs(i image) bool {
	for _, each := range i.blobs {
		if !c.push(i.repository, each) {
			return false
		}
	}
	return true
}

func (c *client) newImage(repository string, extra map[string]any) (image, []byte, bool) {
	i, content := build(c.Rand, fmt.Sprintf("%d %d", c.number, c.Uint64()), repository, extra)
	return i, content, c.pushBlobs(i)
}

// sameImage is the same for all clients that build it.
func (c *client) sameImage(repository string) (image, []byte) {
	return build(rand.New(rand.NewPCG(c.seed, 400)), "the same", repository, nil)
}

func build(random *rand.Rand, author, repository string, extra map[string]any) (image, []byte) {
	config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","author":%q}`, author)
	all := []blob{blobOf(config, digest.SHA256)}
	var layers []any
	for range 1 + random.IntN(2) {
		algorithm := digest.SHA256
		if random.IntN(8) == 0 {
			algorithm = digest.SHA512
		}
		layer := blobOf(contents[random.IntN(len(contents))], algorithm)
		all = append(all, layer)
		layers = append(layers, descriptor("application/vnd.oci.image.layer.v1.tar", layer.digest, len(layer.content)))
	}
	m := map[string]any{
		"schemaVersion": 2, "mediaType": manifestType,
		"config": descriptor("application/vnd.oci.image.config.v1+json", digest.FromBytes(config), len(config)), "layers": layers,
	}
	for name, value := range extra {
		m[name] = value
	}
	content, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return image{repository: repository, digest: digest.FromBytes(content), blobs: all}, content
}

// put pushes a manifest, and says whether it worked.
func (c *client) put(i image, tag, mediaType string, content []byte) bool {
	name := i.repository + ":" + tag
	reference := tag
	if tag == "" {
		reference = i.digest.String()
	}
	s := c.server(c.Rand)
	// While the push is under way, the tag may name either manifest.
	c.mutex.Lock()
	before, promised := c.promised[name]
	delete(c.promised, name)
	everything := c.deletionsOf(image{repository: i.repository})
	began, ofIt, ofBefore := *everything, *c.deletionsOf(i), *c.deletionsOf(before)
	c.mutex.Unlock()
	// The tag may name another manifest than promised: that of a push that was cut off.
	named, _ := c.StorageDriver.GetContent(context.Background(), layout.TagPath(i.repository, tag))
	a := c.send(s, http.MethodPut, "/v2/"+i.repository+"/manifests/"+reference, mediaType, content)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	// If a push and a deletion coincide, either may be the last. A deletion of what the tag named, through
	// another server whose listings lag, may delete the tag even though it names something else
	// by now.
	raced := ofIt.underWay > 0 || *c.deletionsOf(i) != ofIt || c.profile.lag > 0 && c.profile.servers > 1 && (*everything != began || began.underWay > 0)
	promised = promised && *c.deletionsOf(before) == ofBefore
	if strings.HasPrefix(i.repository, "kept/") && tag != "" && !a.refused() {
		// The tag was written, or may have been, so the rules may take the tags before it.
		for each := range c.promised {
			if strings.HasPrefix(each, i.repository+":") {
				delete(c.promised, each)
			}
		}
	}
	switch {
	case a.status == http.StatusCreated && raced:
		c.pushes++
		now, _ := c.StorageDriver.GetContent(context.Background(), layout.TagPath(i.repository, tag))
		// If listings lag, a deletion of the manifest after its push may not find the tag.
		lagged := c.profile.lag > 0
		if lost := c.missing(i); lost != "" && digest.Digest(now) == i.digest && c.deletionsOf(i).underWay == 0 && c.calm() && !lagged {
			c.wrong("%s was pushed while it was deleted, and names what is not whole: %s", name, lost)
		}
	case a.status == http.StatusCreated:
		c.pushes++
		if tag != "" {
			c.promised[name] = i
		}
		if lost := c.missing(i); lost != "" && tag != "" {
			c.wrong("%s@%s was pushed without %s", name, i.digest, lost)
		}
		return true
	case a.refused():
		c.refusals++
		if tag != "" {
			now, _ := c.StorageDriver.GetContent(context.Background(), layout.TagPath(i.repository, tag))
			if digest.Digest(now) == i.digest && digest.Digest(named) != i.digest {
				c.wrong("the push of %s was refused (%d %s), and the tag names it", name, a.status, a.body)
			}
			if promised {
				c.promised[name] = before
				if digest.Digest(now) != before.digest {
					c.wrong("the push of %s was refused, and the tag does not name %s any more", name, before.digest)
				}
				c.checkAll("after a refused push of " + name)
			}
		}
		if c.calm() && c.profile.servers == 1 && bytes.Contains(a.body, []byte("BLOB_UNKNOWN")) {
			c.wrong("the push of %s was refused, though the one server there is had said that all is there: %s", name, a.body)
		}
	}
	return false
}

func (c *client) pushImage(repository, tag string) {
	if i, content, ok := c.newImage(repository, nil); ok {
		c.put(i, tag, manifestType, content)
	}
}

func (c *client) pushSame(repository, tag string) {
	if i, content := c.sameImage(repository); c.pushBlobs(i) {
		c.put(i, tag, manifestType, content)
	}
}

// pushIndex pushes images by digest, and then the index that names them.
func (c *client) pushIndex(repository, tag string) {
	index := image{repository: repository}
	var manifests []any
	for range 1 + c.IntN(2) {
		i, content, ok := c.newImage(repository, nil)
		if !ok || !c.put(i, "", manifestType, content) {
			return
		}
		defer c.promise(i)()
		index.parts = append(index.parts, i)
		manifests = append(manifests, descriptor(manifestType, i.digest, len(content)))
	}
	time.Sleep(time.Duration(c.IntN(20000)) * time.Millisecond)
	content, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": indexType, "manifests": manifests})
	if err != nil {
		panic(err)
	}
	index.digest = digest.FromBytes(content)
	c.put(index, tag, indexType, content)
}

// promise expects an image that was pushed by its digest to stay until takeBack is called. With several
// servers it expects nothing: only the one that took the push knows of it, and there is no grace period here.
func (c *client) promise(i image) (takeBack func()) {
	name := i.repository + "@" + i.digest.String()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.profile.servers == 1 {
		c.promised[name] = i
		c.checkAll("after the push of " + name)
	}
	return func() {
		c.mutex.Lock()
		defer c.mutex.Unlock()
		delete(c.promised, name)
	}
}

// own is one of this client's tags in a repository, with the image that it names.
func (c *client) own(repository string) (name string, i image, ok bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for n := range 3 {
		name = fmt.Sprintf("%s:c%d-%d", repository, c.number, (n+c.number)%3)
		if i, ok = c.promised[name]; ok {
			return name, i, true
		}
	}
	return "", image{}, false
}

// retag pulls a manifest and pushes it with another tag.
func (c *client) retag(repository string) {
	_, i, ok := c.own(repository)
	if !ok {
		return
	}
	s := c.server(c.Rand)
	pulled := c.send(s, http.MethodGet, "/v2/"+repository+"/manifests/"+i.digest.String(), "", nil)
	if pulled.status != http.StatusOK {
		return
	}
	tag := fmt.Sprintf("c%d-%d", c.number, c.IntN(3))
	c.put(i, tag, pulled.header.Get("Content-Type"), pulled.body)
}

// pushReferrer pushes a signature of an image that is there.
func (c *client) pushReferrer(repository string) {
	name, subject, ok := c.own(repository)
	if !ok {
		return
	}
	if c.IntN(3) == 0 {
		// cosign can keep signatures apart from their images.
		repository = "signatures"
	}
	about := map[string]any{"artifactType": "application/vnd.example.signature", "subject": descriptor(manifestType, subject.digest, 1)}
	i, content, ok := c.newImage(repository, about)
	i.subject = subject.digest
	if !ok || !c.put(i, "", manifestType, content) {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	// The signature stays as long as its subject.
	if now, ok := c.promised[name]; ok && now.digest == subject.digest {
		now.parts = append(append([]image{}, now.parts...), i)
		c.promised[name] = now
		c.checkAll("after the push of " + i.digest.String() + " about " + name)
	}
}

// delete deletes a tag, or the manifest that it names.
func (c *client) delete(repository, tag string) {
	name := repository + ":" + tag
	c.mutex.Lock()
	i, ok := c.promised[name]
	delete(c.promised, name)
	c.mutex.Unlock()
	if ok && c.IntN(2) == 0 {
		c.deleteManifest(i)
		return
	}
	c.send(c.server(c.Rand), http.MethodDelete, "/v2/"+repository+"/manifests/"+tag, "", nil)
}

// deleteManifest deletes it with all its tags, whoever pushed them.
func (c *client) deleteManifest(i image) {
	c.mutex.Lock()
	for _, of := range []image{i, {repository: i.repository}} {
		c.deletionsOf(of).begun++
		c.deletionsOf(of).underWay++
	}
	for each, other := range c.promised {
		if other.repository == i.repository && other.digest == i.digest {
			delete(c.promised, each)
		}
	}
	c.mutex.Unlock()
	c.send(c.server(c.Rand), http.MethodDelete, "/v2/"+i.repository+"/manifests/"+i.digest.String(), "", nil)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, of := range []image{i, {repository: i.repository}} {
		c.deletionsOf(of).underWay--
	}
}

// freed says what is left that nothing needs, after a collection and while nobody pushes.
func (w *world) freed() string {
	needed := map[string]bool{}
	var need func(repository string, d digest.Digest)
	need = func(repository string, d digest.Digest) {
		content, err := w.GetContent(context.Background(), layout.BlobPath(d))
		if err != nil || needed[layout.BlobPath(d)] {
			return
		}
		needed[layout.BlobPath(d)] = true
		var m struct {
			Config            struct{ Digest digest.Digest }
			Layers, Manifests []struct{ Digest digest.Digest }
		}
		if err := json.Unmarshal(content, &m); err != nil {
			return
		}
		if m.Config.Digest != "" {
			needed[layout.BlobPath(m.Config.Digest)] = true
		}
		for _, each := range m.Layers {
			needed[layout.BlobPath(each.Digest)] = true
			for _, content := range contents {
				if b := blobOf(content, digest.SHA512); b.digest == each.Digest {
					needed[layout.BlobPath(b.kept)] = true
				}
			}
		}
		for _, each := range m.Manifests {
			need(repository, each.Digest)
		}
	}
	var blobs, referrers []string
	// manifests are all manifests that are linked, by repository.
	type linked struct {
		repository string
		digest     digest.Digest
	}
	var manifests []linked
	err := w.Walk(context.Background(), "/docker", func(info storageInfo) error {
		p := info.Path()
		switch {
		case info.IsDir():
		case layout.IsBlob(p):
			blobs = append(blobs, p)
		case layout.IsTag(p):
			content, err := w.GetContent(context.Background(), p)
			if err != nil {
				return err
			}
			need("", digest.Digest(content))
		case strings.Contains(p, "/"+layout.Referrers+"/"):
			referrers = append(referrers, p)
		case strings.Contains(p, layout.Revisions):
			content, err := w.GetContent(context.Background(), p)
			if err != nil {
				return err
			}
			manifests = append(manifests, linked{"", digest.Digest(content)})
		}
		return nil
	})
	if err != nil {
		return err.Error()
	}
	// What is about a needed manifest is needed, and so on.
	for again := true; again; {
		again = false
		for _, each := range manifests {
			var m struct {
				Subject struct{ Digest digest.Digest }
			}
			content, err := w.GetContent(context.Background(), layout.BlobPath(each.digest))
			if err != nil || json.Unmarshal(content, &m) != nil || needed[layout.BlobPath(each.digest)] {
				continue
			}
			if m.Subject.Digest != "" && needed[layout.BlobPath(m.Subject.Digest)] {
				need("", each.digest)
				again = true
			}
		}
	}
	for _, each := range blobs {
		if !needed[each] {
			return path.Base(path.Dir(each)) + " is left"
		}
	}
	for _, each := range referrers {
		if content, err := w.GetContent(context.Background(), each); err != nil || !needed[layout.BlobPath(digest.Digest(content))] {
			return each + " is left"
		}
	}
	return ""
}
