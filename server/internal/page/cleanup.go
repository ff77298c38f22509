package page

import (
	"net/http"
	"time"

	"container-registry/server/internal/garbage"
)

// Collector deletes what nobody needs.
type Collector interface {
	Options() garbage.Options
	Next() []time.Time
	Runs() []garbage.Run
	Totals() garbage.Totals
	// CollectSoon and PreviewSoon are false while something else is to be done.
	CollectSoon(deleteUntagged bool) bool
	PreviewSoon() bool
	Preview() (last *garbage.Preview, underWay bool, err error)
}

// cleanup is what is deleted, and when.
type cleanup struct {
	// All is whether the visitor sees all of the registry, and may have it collected.
	All, MayCollect bool
	Disk            *diskUse
	Options         garbage.Options
	Next            []time.Time
	Runs            []garbage.Run
	UnderWay        bool
	Preview         *garbage.Preview
	Looking, Failed bool
	// Tags and Untagged are of the preview, as far as they are for the visitor to see.
	Tags     []retired
	Untagged []untagged
	// Busy is set when what was asked for can't be done now.
	Busy bool
}

type retired struct {
	garbage.Retired
	Link string
}

type untagged struct {
	garbage.Untagged
	Link string
}

// diskUse is of the file system with the images.
type diskUse struct {
	Total, Used, Free int64
	// Percent is the used part.
	Percent int
	// Held is what the images take; 0 before they were counted.
	Held int64
}

// refresh is after how many seconds a browser looks again while something is under way.
const refresh = "3"

func (p *Page) showCleanup(w http.ResponseWriter, r *http.Request, v *visitor) {
	c := cleanup{
		All:        v.rights.PullEverything(),
		MayCollect: p.deletes && v.rights.PushEverything() && (v.name != "" || !v.users),
		Options:    p.Collector.Options(),
		Next:       p.Collector.Next(),
		Runs:       p.Collector.Runs(),
		UnderWay:   p.Collector.Totals().UnderWay,
		Busy:       r.URL.Query().Has("busy"),
	}
	var err error
	c.Preview, c.Looking, err = p.Collector.Preview()
	c.Failed = err != nil
	if c.Preview != nil {
		for _, each := range c.Preview.Tags {
			if v.rights.Pull(each.Repository) {
				c.Tags = append(c.Tags, retired{each, p.link("r/"+each.Repository+":"+each.Tag, nil)})
			}
		}
		for _, each := range c.Preview.Untagged {
			if v.rights.Pull(each.Repository) {
				c.Untagged = append(c.Untagged, untagged{each, p.link("r/"+each.Repository+"@"+each.Digest.String(), nil)})
			}
		}
	}
	if c.All {
		c.Disk = p.diskUse()
	}
	if c.UnderWay || c.Looking {
		w.Header().Set("Refresh", refresh)
	}
	p.render(w, r, v, http.StatusOK, "cleanup", "Clean-up", c)
}

// diskUse is nil for a store that is elsewhere, and while it does not answer.
func (p *Page) diskUse() *diskUse {
	if p.Disk == nil {
		return nil
	}
	space, err := p.Disk.Space()
	if err != nil || space.Total == 0 {
		return nil
	}
	use := &diskUse{Total: int64(space.Total), Free: int64(space.Free), Used: int64(space.Total - min(space.Total, space.Free))}
	use.Percent = int(float64(use.Used) / float64(use.Total) * 100)
	use.Held = p.Holdings.Total().Bytes
	return use
}

// order has the collector do something, for who may push everywhere.
func (p *Page) order(do func(r *http.Request) bool) func(http.ResponseWriter, *http.Request, *visitor) {
	return func(w http.ResponseWriter, r *http.Request, v *visitor) {
		if err := r.ParseForm(); err != nil || !p.deletes || !v.rights.PushEverything() {
			p.showProblem(w, r, v, http.StatusForbidden, "That is for those who may push to every repository, in a registry that may delete.")
			return
		}
		to := p.link("cleanup", nil)
		if !do(r) {
			to += "?busy"
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

func (p *Page) collect(r *http.Request) bool {
	return p.Collector.CollectSoon(r.PostForm.Get("untagged") != "")
}

func (p *Page) look(*http.Request) bool { return p.Collector.PreviewSoon() }
