package page

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"container-registry/server/internal/holdings"
	"container-registry/server/internal/images"
)

// untaggedQuery asks for the manifests of a repository that no tag leads to.
const untaggedQuery = "untagged"

// untaggedList is the list of those manifests.
type untaggedList struct {
	Repository string
	Crumbs     []crumb
	Rows       []tagRow
	Pages      pager
	MayDelete  bool
	// Goes is whether collections delete them.
	Goes bool
	// Many is set if there is too much to look at.
	Many bool
	// Deleted is what the visitor has just deleted.
	Deleted string
}

func (p *Page) showUntagged(w http.ResponseWriter, r *http.Request, v *visitor, repository string) {
	found, err := p.images.Untagged(r.Context(), repository)
	many := errors.Is(err, images.ErrMany)
	if err != nil && !many {
		p.showFailure(w, r, v, err)
		return
	}
	list := untaggedList{
		Repository: repository, Crumbs: p.crumbsTo(repository), MayDelete: p.deletes && v.rights.Push(repository),
		Goes: p.Collector.Options().DeleteUntagged, Many: many, Deleted: p.deletedText(w, r, "manifest was", "manifests were"),
	}
	if len(found) == 0 && !many && p.held(repository) == nil && (deletedCount(r) == 0 || !list.MayDelete) {
		names, err := p.images.Names(r.Context(), repository)
		if err != nil {
			p.showFailure(w, r, v, err)
			return
		}
		if len(names) == 0 {
			p.showMissing(w, r, v)
			return
		}
	}
	query := with(r.URL.Query(), "deleted", "")
	list.Pages = paged(len(found), query, func(q url.Values) string { return p.link("r/"+repository, q) })
	rows, err := p.images.Summaries(r.Context(), repository, found[list.Pages.From:list.Pages.To], nil)
	if err != nil {
		p.showFailure(w, r, v, err)
		return
	}
	for _, each := range rows {
		list.Rows = append(list.Rows, tagRow{Summary: each, Link: p.link("r/"+repository+"@"+each.Digest.String(), nil)})
	}
	p.render(w, r, v, http.StatusOK, "untagged", "Untagged manifests of "+repository, list)
}

// countUntagged is -1 if there is too much to look at for a number beside a list.
func (p *Page) countUntagged(ctx context.Context, held *holdings.Repository, repository string) (int, error) {
	if held == nil || held.Manifests > manyTags || held.Tags > manyTags {
		return -1, nil
	}
	found, err := p.images.Untagged(ctx, repository)
	if errors.Is(err, images.ErrMany) {
		return -1, nil
	}
	return len(found), err
}

// deletedCount is the number in the address that a deletion leads to, 0 for every other address.
func deletedCount(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("deleted"))
	if err != nil {
		return 0
	}
	return max(0, n)
}

// deletedText is what the visitor has just deleted; empty for nothing.
func (p *Page) deletedText(w http.ResponseWriter, r *http.Request, one, many string) string {
	n := deletedCount(r)
	if n == 0 || !p.noted(w, r) {
		return ""
	}
	return countText(n, one, many)
}
