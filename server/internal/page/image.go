package page

import (
	"errors"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/images"
)

const (
	// manyTags is how many tags a repository may have for all of them to be looked at.
	manyTags = 200
	// manyAbout is how many signatures and the like are listed.
	manyAbout = 50
)

// imagePage is the page of an image, or of anything else that has a manifest.
type imagePage struct {
	Repository string
	Crumbs     []crumb
	// Tag is empty for an image that is shown by its digest.
	Tag string
	// Digest is empty for a damaged tag that names none.
	Digest digest.Digest
	Pushed time.Time
	Kind   images.Kind
	*images.Described
	Commands []command
	// Pinned is the name that always means this image.
	Pinned string
	Layers []layerRow
	// Tags are all tags that name it, unless there are too many to look at.
	Tags []string
	// About is what is about it, and AboutMore whether there is more. Companions are the tags under which
	// clients keep that.
	About      []v1.Descriptor
	AboutMore  bool
	Companions []string
	MayDelete  bool
}

// Attached is how many attestations, signatures and the like there are, as a list of tags says.
func (p *imagePage) Attached() int {
	all := len(p.About) + len(p.Companions)
	for _, part := range p.Parts {
		all += len(part.Attestations)
	}
	return all
}

// layerRow is a layer, a step, or both.
type layerRow struct {
	Step      string
	Digest    digest.Digest
	Size      int64
	MediaType images.Word
}

func (p *Page) showImage(w http.ResponseWriter, r *http.Request, v *visitor, repository, tag string, d digest.Digest) {
	title := repository + ":" + tag
	if tag == "" {
		title = repository + "@" + short(d)
	}
	page, err := p.image(r, v, repository, tag, d)
	switch {
	case errors.Is(err, images.ErrDamaged):
		p.render(w, r, v, http.StatusNotFound, "damaged", title, page)
	case errors.Is(err, images.ErrMissing):
		p.showMissing(w, r, v)
	case err != nil:
		p.showFailure(w, r, v, err)
	default:
		p.render(w, r, v, http.StatusOK, "image", title, page)
	}
}

// image is what is known of one, also of a damaged one.
func (p *Page) image(r *http.Request, v *visitor, repository, tag string, d digest.Digest) (*imagePage, error) {
	ctx := r.Context()
	page := &imagePage{Repository: repository, Tag: tag, Digest: d, Crumbs: p.crumbsTo(repository), MayDelete: p.deletes && v.rights.Push(repository)}
	if tag != "" {
		found, err := p.images.Tag(ctx, repository, tag)
		if err != nil {
			return page, err
		}
		d, page.Digest, page.Pushed = found.Digest, found.Digest, found.Pushed
	}
	var err error
	page.Described, err = p.images.Describe(ctx, repository, d)
	if tag != "" && errors.Is(err, images.ErrMissing) {
		// The repository does not know what its own tag names.
		err = images.ErrDamaged
	}
	if err != nil {
		return page, err
	}
	page.Kind = page.Manifest.Kind()
	page.Commands = p.commands(r, repository, page.Kind, tag, d)
	page.Pinned = p.registry(r) + "/" + repository + "@" + d.String()
	page.Layers = layerRows(page.Described)
	names, err := p.images.Names(ctx, repository)
	if err != nil {
		return nil, err
	}
	if len(names) <= manyTags {
		if page.Tags, err = p.images.TagsOf(ctx, repository, d, names); err != nil {
			return nil, err
		}
	}
	page.Companions = images.CompanionsOf(d, names)
	page.About, page.AboutMore, err = p.Referrers.About(ctx, repository, d, manyAbout)
	return page, err
}

// layerRows are the steps of an image with the layer that each made, if they fit.
func layerRows(image *images.Described) []layerRow {
	var rows []layerRow
	layers := image.Manifest.Layers.Items
	next := func(step string) layerRow {
		layer := layers[0]
		layers = layers[1:]
		return layerRow{step, digest.Digest(layer.Digest), int64(layer.Size), layer.MediaType}
	}
	if image.Config != nil {
		for _, step := range image.Config.History.Items {
			switch {
			case step.Empty:
				rows = append(rows, layerRow{Step: step.Instruction()})
			case len(layers) > 0:
				rows = append(rows, next(step.Instruction()))
			}
		}
	}
	for len(layers) > 0 {
		rows = append(rows, next(""))
	}
	return rows
}
