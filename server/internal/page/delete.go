package page

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/images"
	"container-registry/server/internal/layout"
)

// deletion is what a visitor is asked to confirm.
type deletion struct {
	Repository string
	Crumbs     []crumb
	*images.Removal
	// Chosen are the images that go because they were chosen by their digest.
	Chosen []digest.Digest
	// Back is where the visitor came from.
	Back string
	// Failures are what could not be deleted, after the attempt.
	Failures []string
	Done     int
}

// tooMany is for choosing more than a page has.
var tooMany = fmt.Sprintf("No more than %d are deleted at once.", perPage)

// delete asks for confirmation first. The form that confirms contains the tags with what they named when the
// visitor saw them.
func (p *Page) delete(w http.ResponseWriter, r *http.Request, v *visitor) {
	// A browser that goes back does not send the form again. If it may not keep the page, it shows an error of
	// its own.
	w.Header().Set("Cache-Control", "private, no-cache")
	repository := r.PostForm.Get("repository")
	switch {
	case !layout.IsRepositoryName(repository):
		p.showMissing(w, r, v)
	case !v.rights.Push(repository) && v.mayLogIn():
		p.refused(r, v)
		p.askForLogin(w, r)
	case !v.rights.Pull(repository):
		p.refused(r, v)
		p.showMissing(w, r, v)
	case !v.rights.Push(repository):
		p.refused(r, v)
		p.showProblem(w, r, v, http.StatusForbidden, "You may not delete from "+repository+".")
	case !p.deletes:
		p.showProblem(w, r, v, http.StatusForbidden, "This registry lets nobody delete.")
	case max(len(r.PostForm["tag"]), len(r.PostForm["digest"]), len(r.PostForm["named"])) > perPage:
		p.showProblem(w, r, v, http.StatusBadRequest, tooMany)
	case r.PostForm.Get("confirmed") != "":
		p.carryOut(w, r, v, repository)
	default:
		p.confirm(w, r, v, repository)
	}
}

func (p *Page) confirm(w http.ResponseWriter, r *http.Request, v *visitor, repository string) {
	tags, digests := chosen(r.PostForm)
	asked := deletion{Repository: repository, Crumbs: p.crumbsTo(repository), Back: p.link("r/"+repository, nil)}
	var err error
	asked.Removal, err = p.images.Remove(r.Context(), repository, tags, digests)
	if err != nil {
		p.showFailure(w, r, v, err)
		return
	}
	if len(asked.Tags)+len(asked.Untagged) == 0 && len(asked.Needed) > 0 {
		p.showProblem(w, r, v, http.StatusConflict, "What was chosen is "+whyNeeded(asked.Needed[0])+".")
		return
	}
	if len(asked.Tags)+len(asked.Untagged) == 0 {
		p.showProblem(w, r, v, http.StatusBadRequest, "Nothing was chosen that is still there.")
		return
	}
	if len(asked.Tags) > perPage {
		p.showProblem(w, r, v, http.StatusConflict, fmt.Sprintf("What was chosen has %d tags. %s Choose some of them in the list of tags first.", len(asked.Tags), tooMany))
		return
	}
	for _, d := range asked.Untagged {
		if slices.Contains(digests, d) {
			asked.Chosen = append(asked.Chosen, d)
		}
	}
	p.render(w, r, v, http.StatusOK, "delete", "Delete from "+repository, asked)
}

// whyNeeded says what an image that stays is, as the end of a sentence.
func whyNeeded(needed images.Staying) string {
	if len(needed.Others) == 0 {
		return "maybe part of another image: there are too many manifests to look at all of them now. A collection that deletes untagged manifests can tell"
	}
	return "part of " + listed(needed.Others) + ", which could not be pulled without it. Delete that first"
}

// chosen are the tags and digests of a form, without those that cannot be valid.
func chosen(form url.Values) (tags []string, digests []digest.Digest) {
	for _, each := range form["tag"] {
		if layout.IsTagName(each) && len(tags) < perPage {
			tags = append(tags, each)
		}
	}
	for _, each := range form["digest"] {
		if d := digest.Digest(each); d.Validate() == nil && len(digests) < perPage {
			digests = append(digests, d)
		}
	}
	return tags, digests
}

// seen are the tags that were confirmed, with what they named then.
func seen(form url.Values) (tags []string, named map[string]digest.Digest) {
	named = map[string]digest.Digest{}
	for _, each := range form["named"] {
		tag, d, _ := strings.Cut(each, "@")
		if layout.IsTagName(tag) && len(tags) < perPage {
			tags = append(tags, tag)
			named[tag] = digest.Digest(d)
		}
	}
	return tags, named
}
