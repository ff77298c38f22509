package fence

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/heldback"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/manifesttype"
	"container-registry/server/internal/store"
)

// push is one manifest on its way into the store.
type push struct {
	*handler
	Pushed
	request *http.Request
	body    *manifestBody
	// algorithm is the one that the client names it by.
	algorithm digest.Algorithm
	// patience begins when the whole manifest has arrived. It allows a slow store time for the bytes.
	patience context.Context
	cancel   context.CancelFunc
	// tagged says that the tag has been written, or may have been.
	tagged bool
	// confirmed are the collections that take the manifest into account in whatever they delete.
	confirmed map[string]bool
}

// servePush holds the answer back until it is certain that no collection came in between.
func (h *handler) servePush(w http.ResponseWriter, r *http.Request, repository string) {
	p := &push{
		handler:   h,
		Pushed:    Pushed{Repository: repository, Reference: path.Base(r.URL.Path)},
		algorithm: digest.Canonical,
		request:   r,
		body:      &manifestBody{client: r.Body},
		cancel:    func() {},
		confirmed: map[string]bool{},
	}
	defer func() { p.cancel() }()
	if d := digest.Digest(p.Reference); d.Validate() == nil {
		p.algorithm, p.Tags = d.Algorithm(), r.URL.Query()["tag"]
	}
	if len(p.Tags) > manifest.MostTags {
		// The OCI specification says so.
		refuseWith(w, http.StatusRequestURITooLong, "UNSUPPORTED", fmt.Sprintf("%d tags in a push, and %d at most are allowed", len(p.Tags), manifest.MostTags))
		return
	}
	p.Tags = slices.Compact(slices.Sorted(slices.Values(p.Tags)))
	for {
		answer := heldback.New()
		done, err := p.attempt(answer)
		if p.tagged && (err != nil || done && answer.Status != http.StatusCreated) {
			err = errUnsure
		}
		if err != nil {
			refuse(w, err)
			return
		}
		if done {
			if answer.Status == http.StatusCreated {
				p.fence.doubts.settle(repository, p.Digest)
				p.tell(answer.Header())
			}
			answer.Send(w)
			return
		}
	}
}

// attempt is not done, and has to be repeated, if another server's collection may have deleted what the
// engine had found.
func (p *push) attempt(a *heldback.Answer) (done bool, err error) {
	f := p.fence
	ctx, stored := enginestore.HoldTags(p.request.Context())
	r := p.request.Clone(ctx)
	if p.algorithm == digest.Canonical {
		// With another algorithm the cache would say that the manifest is there by the engine's digest.
		ctx = f.caches.Pin(ctx)
		r = r.WithContext(ctx)
	}
	r.Header.Set("Content-Type", manifesttype.For(p.algorithm, r.Header.Get("Content-Type")))
	r.Body = p.body
	var before state
	var refused error
	inside, stands, comesBack, answered := false, false, false, func(bool) {}
	defer func() {
		answered(comesBack)
		if stands {
			// Not before the tag is written: a collection of this server that begins earlier finds the
			// manifest without its tag, and forgets what was noted until then.
			f.notePush(p.Pushed)
		}
		if inside {
			f.gate.leave()
		}
	}()
	p.body.rewind(func(content []byte) error {
		if err := p.begin(content); err != nil {
			// The engine says that it is not a manifest, with the reason in the detail.
			return err
		}
		stored.Manifest, stored.Canonical, stored.Subject = p.Digest, digest.FromBytes(content), p.Manifest.Subject
		stored.Layers = manifest.Layers(content)
		var absent []digest.Digest
		if absent, refused = p.inspect(content, stored.Layers); refused != nil {
			refused = p.inTime(refused)
			return refused
		}
		if before, refused = p.enter(); refused != nil {
			return refused
		}
		inside = true
		// There may have been a pause since the engine got the request. It looks for the blobs only now.
		f.caches.Renew(ctx)
		if len(absent) > 0 {
			f.caches.Doubt(ctx, p.Repository, absent...)
		}
		answered = f.keep(p.Repository, p.Digest)
		refused = p.inTime(p.heal(content))
		return refused
	})
	p.engine.ServeHTTP(a, r)
	if p.body.tooLarge {
		// The OCI specification has this status. The engine says 400.
		a.Status = http.StatusRequestEntityTooLarge
	}
	explain(a)
	if refused != nil || a.Status != http.StatusCreated {
		return refused == nil, refused
	}
	stands = true
	// The tag is written once the manifest is certain to be whole, so that a push that is refused has
	// changed nothing. A collection that begins at that moment may not have seen the tag.
	_, safe, err := p.safe(before)
	for _, tag := range p.Tags {
		stored.Tag(p.Repository, tag)
	}
	if safe && stored.Held() {
		p.tagged = true
		if err = stored.Write(p.request.Context(), f.driver, f.tags); err == nil {
			var after state
			if after, safe, err = p.safe(before); safe {
				safe, err = p.stays(after)
			}
		}
	}
	if err != nil || !safe {
		return false, err
	}
	if p.Reference != p.Digest.String() || len(p.Tags) > 0 || p.hasSubject() {
		// A tag or its subject keeps it, and all it refers to.
		f.touched.Settle(p.Repository, append(p.Manifest.References(), p.Digest)...)
		return true, nil
	}
	// An index that needs it, or its subject, may still come.
	comesBack = true
	return true, nil
}

// hasSubject says whether the manifest that it is about is there.
func (p *push) hasSubject() bool {
	subject := p.Manifest.Subject
	if subject.Validate() != nil {
		return false
	}
	there, _ := p.fence.linked(p.request.Context(), layout.RevisionPath(p.Repository, subject))
	return there
}

// linked says whether there is such a link and it leads anywhere.
func (f *Fence) linked(ctx context.Context, link string) (bool, error) {
	d, err := f.leads(ctx, link)
	return d != "", err
}

// leads is the digest that a link leads to. It is empty if there is no link, if a power cut left nothing in
// it, or if somebody deleted the layer by the digest that it leads to.
func (f *Fence) leads(ctx context.Context, link string) (digest.Digest, error) {
	content, err := f.driver.GetContent(ctx, link)
	if layout.IsMissing(err) {
		return "", nil
	}
	d := digest.Digest(content)
	if err != nil || d.Validate() != nil {
		return "", err
	}
	if kept, ok := layout.KeptBy(link, d); ok {
		return f.leads(ctx, kept)
	}
	return d, nil
}

// safe says whether nothing that the manifest needs can have gone since the look before.
func (p *push) safe(before state) (after state, safe bool, err error) {
	after, err = p.fence.looks.after(p.request.Context())
	return after, err == nil && p.fence.unchanged(before, after, p.confirmed), err
}

func (p *push) begin(content []byte) (err error) {
	if p.patience == nil {
		p.patience, p.cancel = context.WithTimeoutCause(p.request.Context(), p.fence.timing.Patience+store.TimeFor(len(content)), errSilent)
		p.Digest = p.algorithm.FromBytes(content)
		p.Manifest, err = manifest.ParsePushed(content)
		for _, tag := range p.Tags {
			if !layout.IsTagName(tag) {
				err = errors.Join(err, fmt.Errorf("%q is no name of a tag", tag))
			}
		}
	}
	return err
}

// tell adds the headers that the engine does not know.
func (p *push) tell(header http.Header) {
	if p.Manifest.Subject.Validate() == nil {
		header.Set("OCI-Subject", p.Manifest.Subject.String())
	}
	if len(p.Tags) > 0 {
		// In one header: some clients take no more than a hundred.
		header.Set("OCI-Tag", strings.Join(p.Tags, ", "))
	}
}

// enter waits for the end of all pauses and deletions, and tells collections under way about the manifest.
// The state that it returns is from before the engine looks for the blobs.
func (p *push) enter() (state, error) {
	f := p.fence
	for {
		s, err := f.enter(p.patience, p.Repository)
		if err != nil {
			return s, err
		}
		told := map[string]bool{}
		for _, h := range f.others(s) {
			if h.Phase != phaseClaim && !p.confirmed[h.ID] {
				if err := f.tell(p.patience, h, p.Pushed); err != nil {
					f.gate.leave()
					return s, p.inTime(err)
				}
				told[h.ID] = true
			}
		}
		if len(told) == 0 {
			return s, nil
		}
		// A pause that begins after this look reads the journal even later, and finds the entry.
		s, err = f.looks.after(p.patience)
		if err == nil && !f.swept(s) {
			maps.Copy(p.confirmed, told)
			return s, nil
		}
		f.gate.leave()
		if err != nil {
			return s, err
		}
	}
}

func (f *Fence) tell(ctx context.Context, h holder, p Pushed) error {
	content, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return f.driver.PutContent(ctx, path.Join(journalOf(h.ID), rand.Text()), content)
}

// heal replaces a stored manifest that is damaged. The engine would leave it as it is.
func (p *push) heal(content []byte) error {
	driver, blob := p.fence.driver, layout.BlobPath(p.Digest)
	there, err := driver.GetContent(p.patience, blob)
	if layout.IsMissing(err) || err == nil && bytes.Equal(there, content) {
		return nil
	}
	if err != nil {
		return err
	}
	return driver.PutContent(p.patience, blob, content)
}
