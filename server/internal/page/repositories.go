package page

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"container-registry/server/internal/holdings"
	"container-registry/server/internal/images"
	"container-registry/server/internal/layout"
)

// repositoryList is a folder of repositories, or what a search found.
type repositoryList struct {
	Folder string
	Crumbs []crumb
	Query  string
	Sort   string
	Sorts  []choice
	Rows   []repositoryRow
	Pages  pager
	// Count is the number of repositories in the list, and Total the number of all that the visitor may see.
	Count, Total int
	// Bytes counts what repositories share only once if Once is set, and otherwise for each of them.
	Bytes int64
	Once  bool
	// Folders is whether any row is a folder of several repositories.
	Folders bool
	// Uncounted is set until all was counted for the first time.
	Uncounted bool
	// Open is a link to what the query names, which may exist although it was not counted.
	Open string
	// Example is a repository to push to, empty for visitors who may not push.
	Example string
}

// example is a repository name that needs no explanation.
const example = "alpine"

// crumb is one of the folders above.
type crumb struct{ Name, Link string }

// repositoryRow is a repository, or a folder of them.
type repositoryRow struct {
	// Above is the part of the name that is dimmed.
	Above, Name, Link string
	// Folder is how many repositories are in it; 0 for a repository.
	Folder int
	Tags   int
	Bytes  int64
	Pushed time.Time
}

func (p *Page) showRepositories(w http.ResponseWriter, r *http.Request, v *visitor) {
	query := r.URL.Query()
	list := repositoryList{
		Folder: strings.Trim(query.Get("folder"), "/"),
		Query:  images.Readable(strings.TrimSpace(query.Get("q"))),
		Sort:   query.Get("sort"),
	}
	if list.Folder != "" && !layout.IsRepositoryName(list.Folder) {
		p.showMissing(w, r, v)
		return
	}
	_, counted := p.Holdings.At()
	list.Uncounted = !counted
	visible := p.visible(v)
	list.Total = len(visible)
	within := below(visible, list.Folder)
	if list.Query != "" {
		within = slices.DeleteFunc(slices.Clone(within), func(h holdings.Repository) bool { return !strings.Contains(h.Name, strings.ToLower(list.Query)) })
		if len(within) == 0 {
			list.Open = p.linkTo(r, v, list.Query)
		}
	}
	if list.Folder != "" && list.Query == "" && len(within) == 0 && counted && v.mayLogIn() {
		p.askForLogin(w, r)
		return
	}
	list.Count = len(within)
	if list.Once = list.Folder == "" && list.Query == "" && v.rights.PullEverything(); list.Once {
		list.Bytes = p.Holdings.Total().Bytes
	} else {
		for _, each := range within {
			list.Bytes += each.Bytes
		}
	}
	if !p.readOnly && v.rights.Push(example) {
		list.Example = example
	}
	list.Crumbs = p.crumbs(list.Folder)
	rows := p.rows(within, list.Folder, list.Query != "")
	list.Folders = slices.ContainsFunc(rows, func(row repositoryRow) bool { return row.Folder > 1 })
	list.Sort = order(rows, list.Sort)
	here := func(q url.Values) string { return p.link("", q) }
	list.Sorts = choices([]way{{"name", "Name"}, {"pushed", "Last push"}, {"size", "Size"}}, list.Sort, query, here)
	list.Pages = paged(len(rows), query, here)
	list.Rows = rows[list.Pages.From:list.Pages.To]
	title := "Repositories"
	if list.Folder != "" {
		title = list.Folder
	}
	p.render(w, r, v, http.StatusOK, "repositories", title, list)
}

// linkTo is the link for a full name of a repository, or of an image by tag or digest, with or without the
// registry before it. It is empty if the name is not such a name, or if the visitor may not see it.
func (p *Page) linkTo(r *http.Request, v *visitor, name string) string {
	name = strings.TrimPrefix(name, p.registry(r)+"/")
	end := strings.IndexAny(name+":", ":@")
	name = strings.ToLower(name[:end]) + name[end:]
	repository, _, _, ok := cutName(name)
	if !ok || !v.rights.Pull(repository) {
		return ""
	}
	return p.link("r/"+name, nil)
}

// isFolder says whether a visitor may see a repository below a name.
func (p *Page) isFolder(v *visitor, name string) bool { return len(below(p.visible(v), name)) > 0 }

// showFolder is for a name that is not a repository's, or the name of one that the visitor may not see.
// Visitors who shorten an address get there.
func (p *Page) showFolder(w http.ResponseWriter, r *http.Request, v *visitor, name string) {
	if !p.isFolder(v, name) {
		p.showMissing(w, r, v)
		return
	}
	http.Redirect(w, r, p.link("", url.Values{"folder": {name}}), http.StatusSeeOther)
}

// visible are the repositories that a visitor may pull from.
func (p *Page) visible(v *visitor) []holdings.Repository {
	all := p.Holdings.Repositories()
	if v.rights.PullEverything() {
		return all
	}
	var visible []holdings.Repository
	for _, each := range all {
		if v.rights.Pull(each.Name) {
			visible = append(visible, each)
		}
	}
	return visible
}

// below are the repositories of a folder, at any depth; they are sorted.
func below(all []holdings.Repository, folder string) []holdings.Repository {
	if folder == "" {
		return all
	}
	find := func(name string) int {
		i, _ := slices.BinarySearchFunc(all, name, func(r holdings.Repository, name string) int { return strings.Compare(r.Name, name) })
		return i
	}
	// The byte after a slash is 0.
	return all[find(folder+"/"):find(folder+"0")]
}

// rows are the repositories themselves if they fit on a page, and folders otherwise.
func (p *Page) rows(all []holdings.Repository, folder string, flat bool) []repositoryRow {
	prefix := ""
	if folder != "" {
		prefix = folder + "/"
	}
	flat = flat || len(all) <= perPage
	folders := map[string]int{}
	var rows []repositoryRow
	for _, each := range all {
		rest := strings.TrimPrefix(each.Name, prefix)
		name, _, deeper := strings.Cut(rest, "/")
		if flat || !deeper {
			cut := strings.LastIndexByte(rest, '/') + 1
			rows = append(rows, repositoryRow{Above: rest[:cut], Name: rest[cut:], Link: p.link("r/"+each.Name, nil), Tags: each.Tags, Bytes: each.Bytes, Pushed: each.LastPush})
			continue
		}
		i, ok := folders[name]
		if !ok {
			i = len(rows)
			folders[name] = i
			rows = append(rows, repositoryRow{Name: name, Link: p.link("", url.Values{"folder": {prefix + name}})})
		}
		row := &rows[i]
		row.Folder++
		row.Tags += each.Tags
		row.Bytes += each.Bytes
		if each.LastPush.After(row.Pushed) {
			row.Pushed = each.LastPush
		}
	}
	return rows
}

// order sorts the rows, and returns what they are sorted by.
func order(rows []repositoryRow, by string) string {
	switch by {
	case "size":
		slices.SortStableFunc(rows, func(a, b repositoryRow) int { return cmp.Compare(b.Bytes, a.Bytes) })
	case "pushed":
		slices.SortStableFunc(rows, func(a, b repositoryRow) int { return b.Pushed.Compare(a.Pushed) })
	default:
		return "name"
	}
	return by
}

// crumbs are the folders above a folder, and the folder itself.
func (p *Page) crumbs(folder string) []crumb {
	var all []crumb
	for i, letter := range folder + "/" {
		if letter == '/' && i > 0 {
			name := folder[:i]
			all = append(all, crumb{name[strings.LastIndexByte(name, '/')+1:], p.link("", url.Values{"folder": {name}})})
		}
	}
	return all
}

// crumbsTo are the folders above a repository, and the repository.
func (p *Page) crumbsTo(repository string) []crumb {
	return append(p.crumbs(parent(repository)), crumb{base(repository), p.link("r/"+repository, nil)})
}
