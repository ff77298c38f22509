package page

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/holdings"
	"container-registry/server/internal/images"
	"container-registry/server/internal/layout"
)

const (
	// onlyTags says that a deletion frees nothing yet.
	onlyTags = "onlytags"
	// companionsQuery asks for the tags of a repository that are for programs.
	companionsQuery = "companions"
)

// tagList are the tags of a repository.
type tagList struct {
	Repository string
	Crumbs     []crumb
	Query      string
	// Sorts are the ways to sort, without those for which there are too many tags.
	Sorts []choice
	Rows  []tagRow
	Pages pager
	// Untagged is the number of manifests that no tag leads to, -1 if there is too much to look at.
	Untagged     int
	UntaggedLink string
	// Tags are those for people, and Companions those for programs.
	Tags, Companions int
	CompanionsLink   string
	Held             *holdings.Repository
	// MayDelete is whether the visitor can choose tags to delete.
	MayDelete bool
	// DryRun is set if the rules delete nothing yet.
	DryRun bool
	// Deleted is what the visitor has just deleted. OnlyTags is whether no image went with it.
	Deleted  string
	OnlyTags bool
}

type tagRow struct {
	images.Summary
	Link, Pull string
	// Goes is nil for one that is kept for ever, as far as is known.
	Goes *going
}

// showReference shows a repository, or an image of it by tag or digest.
func (p *Page) showReference(w http.ResponseWriter, r *http.Request, v *visitor) {
	// People also type a name with a slash at its end.
	rest := strings.TrimSuffix(r.PathValue("reference"), "/")
	repository, tag, d, ok := cutName(rest)
	switch {
	case !ok:
		p.showMissing(w, r, v)
	case !v.rights.Pull(repository) && v.mayLogIn() && !p.isFolder(v, rest):
		p.askForLogin(w, r)
	case !v.rights.Pull(repository):
		p.showFolder(w, r, v, rest)
	case d != "" || tag != "":
		p.showImage(w, r, v, repository, tag, d)
	case r.URL.Query().Has(untaggedQuery):
		p.showUntagged(w, r, v, repository)
	default:
		p.showTags(w, r, v, repository)
	}
}

// cutName reads the name of a repository, or of an image of it by tag or digest. If the name has both, the
// digest decides.
func cutName(name string) (repository, tag string, d digest.Digest, ok bool) {
	name, named, byDigest := strings.Cut(name, "@")
	repository, tag, byTag := strings.Cut(name, ":")
	d = digest.Digest(named)
	ok = layout.IsRepositoryName(repository) && (!byTag || layout.IsTagName(tag)) && (!byDigest || d.Validate() == nil)
	if byDigest {
		tag = ""
	}
	return repository, tag, d, ok
}

func (p *Page) showTags(w http.ResponseWriter, r *http.Request, v *visitor, repository string) {
	query := r.URL.Query()
	all, err := p.images.Names(r.Context(), repository)
	if err != nil {
		p.showFailure(w, r, v, err)
		return
	}
	list := tagList{
		Repository: repository,
		Crumbs:     p.crumbs(parent(repository)),
		Query:      images.Readable(strings.TrimSpace(query.Get("q"))),
		Held:       p.held(repository),
		MayDelete:  p.deletes && v.rights.Push(repository),
		Deleted:    p.deletedText(w, r, "tag was", "tags were"),
		OnlyTags:   query.Has(onlyTags),
	}
	// A repository that was emptied before it was counted exists.
	if len(all) == 0 && list.Held == nil && (deletedCount(r) == 0 || !list.MayDelete) {
		found, err := p.images.Untagged(r.Context(), repository)
		if err != nil && !errors.Is(err, images.ErrMany) {
			p.showFailure(w, r, v, err)
			return
		}
		if err == nil && len(found) == 0 {
			p.showFolder(w, r, v, repository)
			return
		}
	}
	// Companions are sorted last.
	list.Tags = len(all)
	for list.Tags > 0 && layout.IsCompanion(all[list.Tags-1]) {
		list.Tags--
	}
	list.Companions = len(all) - list.Tags
	list.CompanionsLink = p.link("r/"+repository, url.Values{companionsQuery: {""}})
	names := all[:list.Tags]
	switch {
	case list.Query != "":
		names = slices.DeleteFunc(slices.Clone(all), func(name string) bool {
			return !strings.Contains(strings.ToLower(name), strings.ToLower(list.Query))
		})
	case list.Companions > 0 && (list.Tags == 0 || query.Has(companionsQuery)):
		names = all[list.Tags:]
		list.Crumbs = p.crumbsTo(repository)
	}
	query = with(query, "deleted", "", onlyTags, "")
	here := func(q url.Values) string { return p.link("r/"+repository, q) }
	list.Pages = paged(len(names), query, here)
	ordered, err := p.inOrder(r.Context(), repository, names, all[list.Tags:], list.Pages, query.Get("sort"))
	if err != nil {
		p.showFailure(w, r, v, err)
		return
	}
	list.Sorts = choices(waysFor(len(names)), ordered.by, query, here)
	goes := p.leaving(repository, ordered.pushed, ordered.seen == list.Tags)
	for _, each := range ordered.rows {
		list.Rows = append(list.Rows, tagRow{each, p.link("r/"+repository+":"+each.Name, nil), p.pull(r, repository, each.Kind, each.Name), goes(each.Tag)})
	}
	if list.Untagged, err = p.countUntagged(r.Context(), list.Held, repository); err != nil {
		p.showFailure(w, r, v, err)
		return
	}
	list.UntaggedLink = p.link("r/"+repository, url.Values{untaggedQuery: {""}})
	list.DryRun = p.Collector.Options().Retention.DryRun
	p.render(w, r, v, http.StatusOK, "tags", repository, list)
}

// held is what a repository holds, nil if it was not counted.
func (p *Page) held(repository string) *holdings.Repository {
	all := p.Holdings.Repositories()
	i, ok := slices.BinarySearchFunc(all, repository, func(r holdings.Repository, name string) int { return strings.Compare(r.Name, name) })
	if !ok {
		return nil
	}
	return &all[i]
}

// parent is the folder of a repository.
func parent(repository string) string {
	return repository[:max(0, strings.LastIndexByte(repository, '/'))]
}

// pull is the command that most people use.
func (p *Page) pull(r *http.Request, repository string, kind images.Kind, tag string) string {
	return p.commands(r, repository, kind, tag, "")[0].Text
}

// command is a command that gets an image, with the name of the program.
type command struct{ Program, Text string }

func (p *Page) commands(r *http.Request, repository string, kind images.Kind, tag string, d digest.Digest) []command {
	whole := p.registry(r) + "/" + repository
	name := whole + ":" + tag
	if tag == "" {
		name = whole + "@" + d.String()
	}
	oras := "oras pull " + name
	if host := (&url.URL{Host: p.registry(r)}).Hostname(); p.secure && host == "localhost" {
		// By default ORAS never uses TLS for localhost.
		oras += " --plain-http=false"
	}
	switch {
	case kind == images.Chart && tag != "":
		// A tag cannot contain a plus sign, so Helm pushes an underscore in its place.
		return []command{{"Helm", "helm pull oci://" + whole + " --version " + strings.ReplaceAll(tag, "_", "+")}, {"ORAS", oras}}
	case kind == images.Chart || kind == images.Artifact:
		return []command{{"ORAS", oras}, {"Skopeo", "skopeo copy docker://" + name + " dir:" + base(repository)}}
	case kind == images.Encrypted:
		return []command{
			{"Skopeo", "skopeo copy --decryption-key KEY docker://" + name + " oci-archive:" + base(repository) + ".tar"},
			{"Podman", "podman pull --decryption-key KEY " + name},
		}
	default:
		return []command{
			{"Docker", "docker pull " + name},
			{"Podman", "podman pull " + name},
			{"Skopeo", "skopeo copy docker://" + name + " oci-archive:" + base(repository) + ".tar"},
		}
	}
}

// base is the last part of a repository's name.
func base(repository string) string { return repository[strings.LastIndexByte(repository, '/')+1:] }
