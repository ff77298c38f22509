package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/images"
	"container-registry/server/internal/wait"
)

// Fence keeps pushes and deletions out of each other's way, even if several servers share a store.
type Fence interface {
	// Deleting calls do while pushes to the repository wait, so that do can look at it and delete what may go.
	// Before each deletion, do calls late, which returns an error if it is too late.
	Deleting(ctx context.Context, repository string, do func(ctx context.Context, late func() error) error) error
}

const (
	// firstPortion is the number of tags or images in the first portion. Pushes wait during a portion, so the
	// next ones are made to take portionTime each. Between portions, pushes have pushTime.
	firstPortion = 10
	portionTime  = 2 * time.Second
	pushTime     = time.Second
)

// carrying is a deletion that was confirmed.
type carrying struct {
	*Page
	request *http.Request
	visitor *visitor
	// named is what tags named when the visitor saw them, and withImages whether images go with their tags.
	named      map[string]digest.Digest
	withImages bool
	done       deletion
	// began is set once the first portion has begun, and anyImage once images are deleted.
	began, anyImage bool
	// needed are chosen images that are parts of something that still stays.
	needed []images.Staying
	// leftTags and left are the rest of a portion for which there was not enough time.
	leftTags []string
	left     []digest.Digest
}

// carryOut deletes what the visitor saw before, unless it has changed since. It continues if the browser is
// gone, so that what was confirmed is not done in part.
func (p *Page) carryOut(w http.ResponseWriter, r *http.Request, v *visitor, repository string) {
	ctx := context.WithoutCancel(r.Context())
	c := carrying{Page: p, request: r, visitor: v, withImages: r.PostForm.Get("images") != ""}
	c.done = deletion{Repository: repository, Back: p.link("r/"+repository, nil)}
	var tags []string
	tags, c.named = seen(r.PostForm)
	_, digests := chosen(r.PostForm)
	if err := c.all(ctx, tags, digests); err != nil && !c.began {
		p.Log.WithError(err).Warn("a deletion on the page could not begin")
		w.Header().Set("Retry-After", "10")
		p.showProblem(w, r, v, http.StatusServiceUnavailable, "Nothing was deleted: the registry is busy, with a collection maybe. Try again in a moment.")
		return
	} else if err != nil && c.done.Done+len(c.done.Failures) == 0 {
		p.showFailure(w, r.WithContext(ctx), v, err)
		return
	} else if err != nil {
		p.Log.WithError(err).Warn("not all that was chosen on the page could be deleted")
		c.done.Failures = append(c.done.Failures, "The rest: the registry is busy; try again")
	}
	if len(c.done.Failures) > 0 {
		p.render(w, r, v, http.StatusConflict, "deleted", "Not all was deleted", c.done)
		return
	}
	gone := url.Values{"deleted": {strconv.Itoa(c.done.Done)}}
	switch {
	case len(tags) == 0:
		gone.Set(untaggedQuery, "")
	case !c.anyImage:
		gone.Set(onlyTags, "")
	}
	p.note(w, c.done.Back)
	http.Redirect(w, r, p.link("r/"+repository, gone), http.StatusSeeOther)
}

// all deletes tags and images. Parts are deleted after what they are parts of, even if that is in a later
// portion.
func (c *carrying) all(ctx context.Context, tags []string, digests []digest.Digest) error {
	for {
		c.needed = nil
		if err := c.inPortions(ctx, tags, digests); err != nil {
			return err
		}
		if len(c.needed) == 0 || len(c.needed) == len(digests) {
			break
		}
		tags, digests = nil, nil
		for _, each := range c.needed {
			digests = append(digests, each.Digest)
		}
	}
	for _, each := range c.needed {
		c.fail(each.Digest.String(), "it is "+whyNeeded(each))
	}
	return nil
}

// inPortions deletes in portions, tags first. What goes with a portion is found out anew, so that each is
// complete.
func (c *carrying) inPortions(ctx context.Context, tags []string, digests []digest.Digest) error {
	for size := firstPortion; len(tags)+len(digests) > 0; {
		ofTags := min(size, len(tags))
		ofDigests := min(size-ofTags, len(digests))
		began := time.Now()
		err := c.Fence.Deleting(ctx, c.done.Repository, func(ctx context.Context, late func() error) error {
			return c.portion(ctx, late, tags[:ofTags], digests[:ofDigests])
		})
		if err != nil && !errors.Is(err, errUnclear) {
			return err
		}
		took := max(time.Since(began), time.Millisecond)
		size = max(1, int(min(perPage, time.Duration(ofTags+ofDigests)*portionTime/took)))
		tags, digests = slices.Concat(c.leftTags, tags[ofTags:]), slices.Concat(c.left, digests[ofDigests:])
		if c.leftTags, c.left = nil, nil; len(tags)+len(digests) > 0 {
			if err := wait.For(ctx, pushTime); err != nil {
				return err
			}
		}
	}
	return nil
}

// portion deletes some tags and images with what goes with them.
func (c *carrying) portion(ctx context.Context, late func() error, tags []string, digests []digest.Digest) error {
	c.began = true
	now, digests, err := c.look(ctx, tags, digests)
	if err != nil {
		return err
	}
	for _, each := range now.Needed {
		if slices.Contains(digests, each.Digest) {
			c.needed = append(c.needed, each)
		}
	}
	var going []string
	for _, tag := range now.Tags {
		going = append(going, tag.Name)
	}
	if c.withImages && len(now.Untagged) > 0 {
		c.anyImage = true
		going = append(going, now.Companions...)
		for _, d := range slices.Concat(now.Untagged, now.Parts, now.Attached) {
			going = append(going, d.String())
		}
	}
	failures := len(c.done.Failures)
	for i, reference := range going {
		if lost := late(); lost != nil && i == 0 {
			return lost
		} else if lost != nil {
			c.leave(going[i:])
			return err
		}
		of := ctx
		if d := digest.Digest(reference); d.Validate() == nil && len(c.done.Failures) == failures {
			// All tags that named it are gone.
			of = enginestore.Untagged(ctx, d)
		}
		err = errors.Join(err, c.remove(of, reference))
	}
	return err
}

// leave lets the next portion begin with the rest of this one. Tags that go with images are found out anew.
func (c *carrying) leave(going []string) {
	for _, reference := range going {
		if d := digest.Digest(reference); d.Validate() == nil {
			c.left = append(c.left, d)
		} else if _, chosen := c.named[reference]; chosen {
			c.leftTags = append(c.leftTags, reference)
		}
	}
}

// look finds out what goes now, and which of the digests may still go. Tags that no longer name what the
// visitor saw stay, with what they name.
func (c *carrying) look(ctx context.Context, tags []string, digests []digest.Digest) (*images.Removal, []digest.Digest, error) {
	c.images.Forget(c.done.Repository)
	now, err := c.images.Remove(ctx, c.done.Repository, tags, digests)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range tags {
		// It is gone: somebody else was quicker, or this form was sent before.
		if !slices.ContainsFunc(now.Tags, func(tag images.Tag) bool { return tag.Name == name }) {
			c.done.Done++
		}
	}
	var kept []images.Tag
	for _, tag := range now.Tags {
		if c.named[tag.Name] != tag.Digest {
			c.fail(tag.Name, "it was pushed meanwhile, so it was kept")
			kept = append(kept, tag)
		}
	}
	if len(kept) == 0 {
		return now, digests, nil
	}
	tags = slices.DeleteFunc(slices.Clone(tags), func(name string) bool {
		return slices.ContainsFunc(kept, func(tag images.Tag) bool { return tag.Name == name })
	})
	digests = slices.DeleteFunc(slices.Clone(digests), func(d digest.Digest) bool {
		return slices.ContainsFunc(kept, func(tag images.Tag) bool { return tag.Digest == d })
	})
	now, err = c.images.Remove(ctx, c.done.Repository, tags, digests)
	return now, digests, err
}

func (c *carrying) fail(what, why string) {
	c.done.Failures = append(c.done.Failures, what+": "+why)
}

// errUnclear is for a deletion that the store may still carry out later. Pushes wait until that is no longer
// possible.
var errUnclear = errors.New("the store gave no clear answer to a deletion")

// remove deletes as an API client would. If tags were chosen, it counts only those, not what goes with them.
func (c *carrying) remove(ctx context.Context, reference string) error {
	code := c.send(c.request.WithContext(ctx), c.visitor, http.MethodDelete, c.done.Repository+"/manifests/"+reference)
	if err := statusError(code); err != nil {
		c.fail(reference, err.Error())
	} else if _, tag := c.named[reference]; tag || len(c.named) == 0 {
		c.done.Done++
	}
	if code >= http.StatusInternalServerError {
		return errUnclear
	}
	return nil
}

func statusError(status int) error {
	switch status {
	case http.StatusAccepted, http.StatusNotFound:
		return nil
	case http.StatusForbidden, http.StatusUnauthorized:
		return errors.New("you may not delete it")
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return errors.New("the registry is busy; try again")
	default:
		return fmt.Errorf("the registry answers %d", status)
	}
}
