package page

import (
	"maps"
	"net/url"
	"strconv"
)

// perPage is how many rows a page has.
const perPage = 100

// pager is which part of a list is shown.
type pager struct {
	Page, Last int
	From, To   int
	// Count is the length of the whole list.
	Count int
	// Previous and Next are empty where there is none.
	Previous, Next string
}

// paged reads the page that is asked for. One beyond the last is the last.
func paged(count int, query url.Values, link func(url.Values) string) pager {
	g := pager{Last: max(1, (count+perPage-1)/perPage), Count: count}
	g.Page, _ = strconv.Atoi(query.Get("page"))
	g.Page = min(max(1, g.Page), g.Last)
	g.From, g.To = (g.Page-1)*perPage, min(g.Page*perPage, count)
	if g.Page > 1 {
		g.Previous = link(with(query, "page", strconv.Itoa(g.Page-1)))
	}
	if g.Page < g.Last {
		g.Next = link(with(query, "page", strconv.Itoa(g.Page+1)))
	}
	return g
}

// with is a query with other values; an empty one is left out.
func with(query url.Values, pairs ...string) url.Values {
	changed := url.Values{}
	maps.Copy(changed, query)
	for i := 0; i < len(pairs); i += 2 {
		changed.Del(pairs[i])
		if pairs[i+1] != "" {
			changed.Set(pairs[i], pairs[i+1])
		}
	}
	return changed
}

// choice is one of several ways to look at something.
type choice struct {
	Name, Link string
	Chosen     bool
}

// way is a way to sort a list, as the query and people call it.
type way struct{ key, name string }

// choices are links to the ways to sort a list. Each link leads to the first page.
func choices(ways []way, chosen string, query url.Values, link func(url.Values) string) (all []choice) {
	for _, each := range ways {
		all = append(all, choice{each.name, link(with(query, "sort", each.key, "page", "")), each.key == chosen})
	}
	return all
}
