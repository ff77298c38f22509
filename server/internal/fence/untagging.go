package fence

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/heldback"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

// untaggingPrefix begins the names of objects that announce the deletion of a tag.
const untaggingPrefix = "untagging-"

// untagging stands for a tag's folder in such a name.
func untagging(tag string) string { return digest.FromString(tag).Encoded()[:16] }

// announce has pushes through other servers, of the tag or to the repository that the folder is of, wait for
// the end of its deletion and then check that the tag is there. The object is written before untag asks what
// the tag names: a push after that waits, and a push before it is seen.
//
// Other servers wait only for a limited time, so untag has to ask late before it deletes.
//
// It goes on when the client is gone. Otherwise a client could leave an object with each request.
func (f *Fence) announce(ctx context.Context, tag string, untag func(ctx context.Context, late func() error) error) error {
	ctx = context.WithoutCancel(ctx)
	f.clearStale(ctx)
	object := path.Join(folder, untaggingPrefix+untagging(tag)+"-"+rand.Text())
	remove := func() {
		ended, cancel := context.WithTimeout(ctx, f.timing.Expiry)
		defer cancel()
		// An object that can't be deleted expires. The next deletion after that clears it away.
		_ = f.remove(ended, object)
		f.respare(ctx)
	}
	begun := f.clock()
	timely, cancel := context.WithTimeoutCause(ctx, f.timing.Expiry/2, errLate)
	defer cancel()
	if err := f.put(timely, object, []byte(tag)); err != nil {
		// The object may have been written all the same.
		remove()
		return err
	}
	deletes := false
	err := untag(timely, func() error {
		if f.clock()-begun > f.timing.Expiry/2 {
			return errLate
		}
		deletes = true
		return nil
	})
	if err != nil && deletes {
		// The store may carry out the deletion later. The object stays until that can no longer happen.
		time.AfterFunc(f.timing.Expiry, remove)
		return err
	}
	remove()
	return err
}

type deletingKey struct{}

// isDeleting says whether a request is one of those that Deleting lets through.
func isDeleting(ctx context.Context) bool {
	is, _ := ctx.Value(deletingKey{}).(bool)
	return is
}

// Deleting calls do, which looks at a repository and deletes from it what that look allows. It deletes by
// requests with its context, and before each it asks whether it is too late. It finds what was pushed to the
// repository before it began, through any server. A push that it may not have found begins anew when it has
// ended.
//
// The reason is the same as with collections: a push waits while the object is there, and has the engine
// look for what it needs. Then it checks the generation. If that is still from before this deletion, do looks
// later and sees what was pushed.
//
// If listings lag behind, the object and what was pushed may be seen too late.
func (f *Fence) Deleting(ctx context.Context, repository string, do func(ctx context.Context, late func() error) error) error {
	patience, cancel := context.WithTimeoutCause(ctx, f.timing.Patience, errSilent)
	defer cancel()
	if _, err := f.enter(patience, ""); err != nil {
		return err
	}
	defer f.gate.leave()
	return f.announce(ctx, layout.RepositoryPath(repository), func(ctx context.Context, late func() error) error {
		if err := f.forgetAll(ctx); err != nil {
			return err
		}
		f.looks.forget()
		return do(context.WithValue(ctx, deletingKey{}, true), late)
	})
}

// clearStale deletes what dead servers left, as far as this server has noticed.
func (f *Fence) clearStale(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.Expiry)
	defer cancel()
	if s, err := f.looks.recent(ctx); err == nil {
		for _, name := range s.stale {
			_ = f.remove(ctx, path.Join(folder, name))
		}
	}
}

var errLate = errors.New("the store took too long to say what a tag names; delete the manifest again")

// serveDeletion deletes a tag, or a manifest with all its tags.
func (h *handler) serveDeletion(w http.ResponseWriter, r *http.Request, repository string, d digest.Digest) {
	began := time.Now()
	ctx, deletion := enginestore.Delete(r.Context(), d, h.fence.tags, h.fence.announce)
	answer := heldback.New()
	h.serve(answer, r.WithContext(ctx))
	var err error
	switch {
	case answer.Status == http.StatusAccepted && d.Validate() == nil:
		_, err = h.fence.finish(ctx, deletion, repository, d, h.fence.unlisted(repository, d))
	case answer.Status != http.StatusNotFound:
	case d.Validate() != nil:
		// The engine's answer would tell where in the store it has looked for the tag.
		answer.Content.Reset()
		_ = errcode.ServeJSON(answer, errcode.ErrorCodeManifestUnknown.WithDetail(distribution.ErrTagUnknown{Tag: d.String()}))
	default:
		var finished bool
		if finished, err = h.fence.finishAll(ctx, deletion, repository, d); finished {
			answer.Status = http.StatusAccepted
			answer.Header().Del("Content-Type")
			answer.Content.Reset()
		}
	}
	if err != nil || deletion.Failed() {
		refuse(w, errTagStays)
		return
	}
	if answer.Status == http.StatusAccepted {
		h.fence.noteDeletion(repository, d, began)
	}
	answer.Send(w)
}

// finishAll deletes the tags of a manifest that is gone, and says whether there were any. A deletion that
// fails after the manifest has gone leaves them, and the engine answers a repeated deletion only with 404.
func (f *Fence) finishAll(ctx context.Context, deletion *enginestore.Deletion, repository string, d digest.Digest) (found bool, err error) {
	// The tags are not searched for a manifest that was never there.
	if _, err := f.driver.Stat(ctx, layout.BlobPath(d)); layout.IsMissing(err) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.timing.Patience)
	defer cancel()
	names, err := layout.TagNames(ctx, f.driver, repository)
	if err != nil {
		return false, err
	}
	return f.finish(ctx, deletion, repository, d, slices.Concat(names, f.unlisted(repository, d)))
}

// finish deletes those of the tags that name a manifest that is gone, and says whether there were any.
func (f *Fence) finish(ctx context.Context, deletion *enginestore.Deletion, repository string, d digest.Digest, names []string) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.Patience)
	defer cancel()
	var left atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inspectors)
	for _, name := range names {
		group.Go(func() error {
			link := layout.TagPath(repository, name)
			if named, err := f.leads(ctx, link); err != nil || named != d {
				return err
			}
			// Somebody may have pushed the manifest since: it is written before its tag.
			if there, err := f.linked(ctx, layout.RevisionPath(repository, d)); err != nil || there {
				return err
			}
			left.Store(true)
			return deletion.Untag(ctx, f.driver, layout.TagFolder(link))
		})
	}
	err = group.Wait()
	return left.Load(), err
}

// stays says whether the manifest and its tags are still there. A deletion of the manifest in the meantime
// deletes the tags that it finds, and may not have seen this one.
func (p *push) stays(s state) (bool, error) {
	paths := []string{layout.RevisionPath(p.Repository, p.Digest)}
	var awaited []string
	for _, tag := range p.Named() {
		of := layout.TagPath(p.Repository, tag)
		paths, awaited = append(paths, of), append(awaited, untagging(layout.TagFolder(of)))
	}
	for slices.ContainsFunc(awaited, func(tag string) bool { return slices.Contains(s.untaggings, tag) }) {
		err := wait.For(p.patience, p.fence.timing.Fresh/2)
		if err == nil {
			s, err = p.fence.looks.after(p.patience)
		}
		if err != nil {
			return false, err
		}
	}
	there := make([]bool, len(paths))
	group, ctx := errgroup.WithContext(p.request.Context())
	group.SetLimit(inspectors)
	for i, each := range paths {
		group.Go(func() (err error) {
			there[i], err = p.fence.linked(ctx, each)
			return err
		})
	}
	err := group.Wait()
	return !slices.Contains(there, false), err
}

// sightUntagging notes in s what a name says, if it is the name of a deletion's object.
func (f *Fence) sightUntagging(s *state, name string, seen map[string]sighting) {
	rest, ok := strings.CutPrefix(name, untaggingPrefix)
	tag, id, _ := strings.Cut(rest, "-")
	switch {
	case !ok:
	case !f.sight(name, holder{}, seen):
		s.stale = append(s.stale, name)
	case !strings.Contains(id, "."):
		// A name with a dot is of an object that is still being written.
		s.untaggings = append(s.untaggings, tag)
	}
}
