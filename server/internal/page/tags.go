package page

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/images"
	"container-registry/server/internal/layout"
)

var tagName = regexp.MustCompile("^" + reference.TagRegexp.String() + "$")

// tagList are the tags of a repository.
type tagList struct {
	Repository string
	Crumbs     []crumb
	Query      string
	Rows       []tagRow
	Pages      pager
	// Tags are those for people, and Companions those for programs.
	Tags, Companions int
	Held             *holdings.Repository
	// MayDelete is whether there are boxes to choose tags by.
	MayDelete bool
	// DryRun is set when no rule deletes what it would.
	DryRun bool
	// Deleted is what the visitor has just done.
	Deleted string
}

type tagRow struct {
	images.Summary
	Link, Pull string
	// Goes is the rule by which a collection would delete it, as of the last look.
	Goes string
}

// showReference is for a repository, or for an image of it by tag or digest.
func (p *Page) showReference(w http.ResponseWriter, r *http.Request, v *visitor) {
	rest := r.PathValue("reference")
	repository, named, byDigest := strings.Cut(rest, "@")
	tag := ""
	if !byDigest {
		repository, tag, _ = strings.Cut(rest, ":")
	}
	d := digest.Digest(named)
	switch {
	case len(repository) > 255 || !repositoryName.MatchString(repository),
		byDigest && d.Validate() != nil, tag != "" && !tagName.MatchString(tag):
		p.showMissing(w, r, v)
	case !v.rights.Pull(repository) && v.name == "" && v.users:
		// Who logs in may see more.
		p.askForLogin(w, r)
	case !v.rights.Pull(repository):
		p.showMissing(w, r, v)
	case byDigest || tag != "":
		p.showImage(w, r, v, repository, tag, d)
	default:
		p.showTags(w, r, v, repository)
	}
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
		Query:      strings.TrimSpace(query.Get("q")),
		Held:       p.held(repository),
		MayDelete:  p.deletes && v.rights.Push(repository),
	}
	if len(all) == 0 && list.Held == nil {
		p.showMissing(w, r, v)
		return
	}
	if n, err := strconv.Atoi(query.Get("deleted")); err == nil && n > 0 {
		list.Deleted = countText(n, "tag was", "tags were")
	}
	// They are the last ones.
	list.Tags = len(all)
	for list.Tags > 0 && layout.IsCompanion(all[list.Tags-1]) {
		list.Tags--
	}
	list.Companions = len(all) - list.Tags
	names := all[:list.Tags]
	if list.Query != "" {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			return !strings.Contains(strings.ToLower(name), strings.ToLower(list.Query))
		})
	}
	list.Pages = paged(len(names), with(query, "deleted", ""), func(q url.Values) string { return p.link("r/"+repository, q) })
	tags, err := p.images.Tags(r.Context(), repository, names[list.Pages.From:list.Pages.To])
	var found []images.Summary
	if err == nil {
		found, err = p.images.Summaries(r.Context(), repository, tags, all[list.Tags:])
	}
	if err != nil {
		p.showFailure(w, r, v, err)
		return
	}
	going := p.going(repository)
	for _, each := range found {
		row := tagRow{Summary: each, Link: p.link("r/"+repository+":"+each.Name, nil), Pull: p.pull(r, repository, each.Kind, each.Name)}
		if goes := going[each.Name]; goes.Digest == each.Digest {
			row.Goes = goes.Rule
		}
		list.Rows = append(list.Rows, row)
	}
	list.DryRun = p.Collector.Options().Retention.DryRun
	p.render(w, r, v, http.StatusOK, "tags", repository, list)
}

// held is nil for what was not counted.
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

// command is one that gets an image, with the program it is of.
type command struct{ Program, Text string }

func (p *Page) commands(r *http.Request, repository string, kind images.Kind, tag string, d digest.Digest) []command {
	whole := p.registry(r) + "/" + repository
	name := whole + ":" + tag
	if tag == "" {
		name = whole + "@" + d.String()
	}
	switch {
	case kind == images.Chart && tag != "":
		return []command{{"Helm", "helm pull oci://" + whole + " --version " + tag}, {"ORAS", "oras pull " + name}}
	case kind == images.Chart || kind == images.Artifact:
		return []command{{"ORAS", "oras pull " + name}, {"Skopeo", "skopeo copy docker://" + name + " dir:" + base(repository)}}
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

// going are the tags that a collection would delete, as of the last look.
func (p *Page) going(repository string) map[string]garbage.Retired {
	all := map[string]garbage.Retired{}
	if last, _, _ := p.Collector.Preview(); last != nil {
		for _, each := range last.Tags {
			if each.Repository == repository {
				all[each.Tag] = each
			}
		}
	}
	return all
}
