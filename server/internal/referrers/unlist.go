package referrers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"sync/atomic"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/access"
	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/heldback"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/paths"
)

// Unlist goes around the engine and its fence. What a client deletes by its digest goes from the list
// that clients may have in a tag, as well: they write it anew with what it has, and a list of what is
// gone would be refused. It is written as a client would, which the fence and observers see.
func Unlist(engine http.Handler, lister *Lister, prefix string, log *logrus.Entry) http.Handler {
	base := paths.API(prefix)
	return &unlisting{
		Lister: lister,
		engine: engine,
		log:    log,
		path:   regexp.MustCompile("^(" + regexp.QuoteMeta(base) + "(" + reference.NameRegexp.String() + ")/manifests/)([^/]+)$"),
	}
}

type unlisting struct {
	*Lister
	engine http.Handler
	log    *logrus.Entry
	path   *regexp.Regexp
}

// errListed is for a deletion whose manifest is gone.
var errListed = errcode.ErrorCodeUnavailable.WithMessage("the manifest is gone, and the tag that lists what is about its subject could not be written; delete the manifest again")

func (h *unlisting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := h.path.FindStringSubmatch(r.URL.Path)
	if r.Method != http.MethodDelete || parts == nil || !layout.IsRepositoryName(parts[2]) || digest.Digest(parts[3]).Validate() != nil {
		h.engine.ServeHTTP(w, r)
		return
	}
	answer := heldback.New()
	h.engine.ServeHTTP(answer, r)
	if answer.Status != http.StatusAccepted && answer.Status != http.StatusNotFound {
		answer.Send(w)
		return
	}
	// It goes on when the client is gone, who could not know what to repeat.
	l := list{unlisting: h, request: r.WithContext(access.Finishing(context.WithoutCancel(r.Context()))), manifests: parts[1], repository: parts[2]}
	unlisted, err := l.unlist(digest.Digest(parts[3]))
	switch {
	case err != nil:
		h.log.WithError(err).Warnf("%s@%s was deleted, and stays in the tag that lists what is about its subject", parts[2], parts[3])
		answer.Header().Set("Retry-After", "5")
		answer.Status = 0
		answer.Content.Reset()
		refuse(answer, errListed)
	case unlisted:
		// Who asks again, and finds it gone, finishes what failed before.
		answer.Status = http.StatusAccepted
		answer.Header().Del("Content-Type")
		answer.Content.Reset()
	}
	answer.Send(w)
}

// list is the one a deleted manifest may be in.
type list struct {
	*unlisting
	request *http.Request
	// manifests is the path of the repository's.
	manifests, repository string
}

// tries are for what others push and delete meanwhile.
const tries = 5

// unlist says whether the manifest was listed. Its text outlives the link to it.
func (l list) unlist(gone digest.Digest) (listed bool, err error) {
	ctx := l.request.Context()
	found, ok := l.known.get(gone)
	if !ok {
		// Clients may ask for layers here, which nobody reads as a whole.
		info, err := l.driver.Stat(ctx, layout.BlobPath(gone))
		if layout.IsMissing(err) || err == nil && info.Size() > manifest.MostBytes {
			return false, nil
		}
		if err == nil {
			found, err = l.take(ctx, gone)
		}
		if err != nil {
			return false, err
		}
	}
	if found.subject.Validate() != nil {
		return false, nil
	}
	var status int
	for range tries {
		if status, err = l.attempt(layout.ReferrersTag(found.subject), gone, &listed); status == 0 || err != nil {
			return listed, err
		}
	}
	if status == http.StatusBadRequest {
		// It is refused however often the client asks, as one whose sizes were never right.
		l.log.Warnf("%s:%s lists %s, which was deleted, and can't be written without it", l.repository, layout.ReferrersTag(found.subject), gone)
		return listed, nil
	}
	return listed, fmt.Errorf("it was not written in %d tries, the last one answered %d", tries, status)
}

// attempt has the answer to what did not succeed, mostly as somebody else wrote the list meanwhile.
func (l list) attempt(tag string, gone digest.Digest, listed *bool) (status int, err error) {
	ctx := l.request.Context()
	link, err := l.get(ctx, layout.TagPath(l.repository, tag))
	old := digest.Digest(link)
	if err != nil || old.Validate() != nil {
		return 0, err
	}
	var index map[string]json.RawMessage
	var entries []json.RawMessage
	err = l.open(ctx, old, func(content []byte) error {
		// What can't be read lists nothing.
		if json.Unmarshal(content, &index) == nil {
			_ = json.Unmarshal(index["manifests"], &entries)
		}
		return nil
	})
	isGone := func(entry json.RawMessage) bool { return digestOf(entry) == gone }
	if err != nil || !slices.ContainsFunc(entries, isGone) {
		return 0, err
	}
	left, err := l.there(ctx, entries)
	if err != nil || slices.ContainsFunc(left, isGone) {
		// Somebody pushed it again.
		return 0, err
	}
	*listed = true
	shared, err := l.hasOtherTag(ctx, old, tag)
	if err != nil {
		return 0, err
	}
	if len(left) > 0 || shared {
		index["manifests"] = encode(left)
		mediaType := v1.MediaTypeImageIndex
		_ = json.Unmarshal(index["mediaType"], &mediaType)
		content := encode(index)
		status = l.send(enginestore.While(ctx, old), http.MethodPut, tag, mediaType, content)
		if status != http.StatusCreated || shared {
			return refusal(status), nil
		}
	}
	// Nobody asks for it any more. With it goes the tag, where that still names it.
	return refusal(l.send(ctx, http.MethodDelete, old.String(), "", nil)), nil
}

// refusal is a status of an answer, and 0 if what was asked for is done.
func refusal(status int) int {
	switch status {
	case http.StatusCreated, http.StatusAccepted, http.StatusNotFound:
		return 0
	}
	return status
}

// there are the entries whose manifests are, as the engine takes no others.
func (l list) there(ctx context.Context, entries []json.RawMessage) ([]json.RawMessage, error) {
	missing := make([]bool, len(entries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, each := range entries {
		group.Go(func() error {
			d := digestOf(each)
			if d.Validate() != nil {
				missing[i] = true
				return nil
			}
			link, err := l.get(ctx, layout.RevisionPath(l.repository, d))
			missing[i] = digest.Digest(link).Validate() != nil
			return err
		})
	}
	err := group.Wait()
	left := []json.RawMessage{}
	for i, each := range entries {
		if !missing[i] {
			left = append(left, each)
		}
	}
	return left, err
}

// hasOtherTag says whether somebody keeps the list by a tag of another name.
func (l list) hasOtherTag(ctx context.Context, d digest.Digest, tag string) (bool, error) {
	names, err := layout.TagNames(ctx, l.driver, l.repository)
	if err != nil {
		return false, err
	}
	var found atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, name := range names {
		if name == tag {
			continue
		}
		group.Go(func() error {
			link, err := l.get(ctx, layout.TagPath(l.repository, name))
			if digest.Digest(link) == d {
				found.Store(true)
			}
			return err
		})
	}
	err = group.Wait()
	return found.Load(), err
}

// send is the status of the answer.
func (l list) send(ctx context.Context, method, name, mediaType string, content []byte) int {
	r := l.request.Clone(ctx)
	r.Method, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = method, l.manifests+name, "", ""
	r.RequestURI = r.URL.Path
	r.Header.Set("Content-Type", mediaType)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(content)), int64(len(content))
	answer := heldback.New()
	l.engine.ServeHTTP(answer, r)
	return answer.Status
}

// encode leaves texts as they are: escaped for HTML, a list could become longer than one may be.
func encode(value any) []byte {
	var content bytes.Buffer
	encoder := json.NewEncoder(&content)
	encoder.SetEscapeHTML(false)
	// What was decoded can be encoded.
	_ = encoder.Encode(value)
	return bytes.TrimSuffix(content.Bytes(), []byte("\n"))
}

// digestOf is empty for what is no descriptor.
func digestOf(entry json.RawMessage) digest.Digest {
	var of struct {
		Digest digest.Digest `json:"digest"`
	}
	_ = json.Unmarshal(entry, &of)
	return of.Digest
}
