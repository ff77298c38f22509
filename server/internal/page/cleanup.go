package page

import (
	"context"
	"net/http"
	"time"

	"container-registry/server/internal/disk"
	"container-registry/server/internal/garbage"
)

// Collector deletes what nobody needs.
type Collector interface {
	Options() garbage.Options
	Next() []time.Time
	// From is the first collection from a time on; zero without a schedule.
	From(time.Time) time.Time
	// Recall learns what other servers of the store have collected.
	Recall(context.Context)
	Runs() []garbage.Run
	Totals() garbage.Totals
	// CollectSoon and PreviewSoon return false while something else is still to be done.
	CollectSoon(deleteUntagged bool) bool
	PreviewSoon() bool
	Preview() (last *garbage.Preview, underWay bool, err error)
}

// cleanup is what is deleted, and when.
type cleanup struct {
	// All is whether the visitor sees all of the registry, and may have it collected.
	All, MayCollect bool
	// Deletes is whether the registry lets anybody delete, ReadOnly whether it deletes nothing itself.
	Deletes, ReadOnly bool
	Disk              *diskUse
	Options           garbage.Options
	Next              []time.Time
	Runs              []garbage.Run
	UnderWay, Waits   bool
	Preview           *garbage.Preview
	Looking, Failed   bool
	// Counts, Retired and Untagged are the part of the preview that the visitor may see.
	Counts   garbage.Counts
	Retired  []retiredList
	Untagged []untagged
	// Busy is set if what the visitor asked for cannot be done now.
	Busy bool
}

// retiredList are tags that go for a reason.
type retiredList struct {
	Title, Lead string
	Tags        []retired
	// Count includes those that are not shown.
	Count int
}

type retired struct {
	garbage.Retired
	Link string
	Goes going
}

// going is when a tag goes, and why.
type going struct {
	Rule string
	// Until is how long it is kept. That is not in the future for a tag that goes with the next collection.
	Until time.Time
	// At is the collection that it goes with; zero without a schedule.
	At time.Time
}

func (p *Page) goes(rule string, until time.Time) going {
	return going{rule, until, p.Collector.From(until)}
}

// when is for example in 12 days, or with the next collection.
func (g going) when(now time.Time) string {
	switch {
	case !g.At.IsZero():
		return ahead(g.At.Sub(now))
	case g.Until.After(now):
		return "with the first collection " + ahead(g.Until.Sub(now)) + " or later"
	default:
		return "with the next collection"
	}
}

type untagged struct {
	garbage.Untagged
	Link string
}

// diskUse is the use of the file system with the images.
type diskUse struct {
	Total, Used, Free int64
	// Percent is the used part.
	Percent int
	// Held is what the images take; 0 before they were counted.
	Held int64
}

// mostGoing is how many tags and manifests of each kind are shown.
const mostGoing = 1000

// refresh is the number of seconds after which a browser looks again while something is under way.
const refresh = "3"

// patience is how long the page waits for an answer of the store that it can do without.
const patience = 2 * time.Second

func (p *Page) showCleanup(w http.ResponseWriter, r *http.Request, v *visitor) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	p.Collector.Recall(ctx)
	totals := p.Collector.Totals()
	c := cleanup{
		All:        v.rights.PullEverything(),
		MayCollect: p.deletes && v.rights.PushEverything() && !v.mayLogIn(),
		Deletes:    p.deletes,
		ReadOnly:   p.readOnly,
		Options:    p.Collector.Options(),
		Next:       p.Collector.Next(),
		Runs:       p.Collector.Runs(),
		UnderWay:   totals.UnderWay,
		Waits:      totals.Waits,
	}
	var err error
	c.Preview, c.Looking, err = p.Collector.Preview()
	c.Failed = err != nil
	working := c.UnderWay || c.Waits || c.Looking
	c.Busy = working && r.URL.Query().Has("busy")
	if c.Preview != nil {
		for repository, counts := range c.Preview.Counts {
			if v.rights.Pull(repository) {
				c.Counts = c.Counts.Plus(counts)
			}
		}
		c.Retired = []retiredList{
			{"Tags that no rule keeps", "", p.retired(v, c.Preview.Tags), c.Counts.Tags},
			{"Tags that are kept for their age alone", "If nothing is pushed meanwhile.", p.retired(v, c.Preview.Aging), c.Counts.Aging},
		}
		for _, each := range c.Preview.Untagged {
			if len(c.Untagged) < mostGoing && v.rights.Pull(each.Repository) {
				c.Untagged = append(c.Untagged, untagged{each, p.link("r/"+each.Repository+"@"+each.Digest.String(), nil)})
			}
		}
	}
	if c.All {
		c.Disk = diskUseOf(p.Disk, p.Holdings.Total().Bytes)
	}
	if working {
		w.Header().Set("Refresh", refresh+"; url="+p.link("cleanup", nil))
	}
	p.render(w, r, v, http.StatusOK, "cleanup", "Clean-up", c)
}

// retired are those that the visitor may see.
func (p *Page) retired(v *visitor, all []garbage.Retired) (seen []retired) {
	for _, each := range all {
		if len(seen) < mostGoing && v.rights.Pull(each.Repository) {
			seen = append(seen, retired{each, p.link("r/"+each.Repository+":"+each.Tag, nil), p.goes(each.Rule, each.Until)})
		}
	}
	return seen
}

// diskUseOf is nil for a store that is not on this machine, and while its disk does not answer.
func diskUseOf(folder *disk.Folder, held int64) *diskUse {
	if folder == nil {
		return nil
	}
	space, err := folder.Space()
	if err != nil || space.Total == 0 {
		return nil
	}
	use := &diskUse{Total: int64(space.Total), Free: int64(space.Free), Used: int64(space.Total - min(space.Total, space.Free)), Held: held}
	use.Percent = int(float64(use.Used) / float64(use.Total) * 100)
	return use
}

// order lets visitors who may push everywhere make the collector do something.
func (p *Page) order(do func(r *http.Request, v *visitor) bool) func(http.ResponseWriter, *http.Request, *visitor) {
	return func(w http.ResponseWriter, r *http.Request, v *visitor) {
		mayOrder := v.rights.PushEverything()
		if !mayOrder {
			p.refused(r, v)
		}
		if !mayOrder && v.mayLogIn() {
			p.askForLogin(w, r)
			return
		}
		if !p.deletes || !mayOrder {
			p.showProblem(w, r, v, http.StatusForbidden, "That is for those who may push to every repository, in a registry that may delete.")
			return
		}
		to := p.link("cleanup", nil)
		if !do(r, v) {
			to += "?busy"
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	}
}

func (p *Page) collect(r *http.Request, v *visitor) bool {
	soon := p.Collector.CollectSoon(r.PostForm.Get("untagged") != "")
	if soon {
		p.ordered(r, v)
	}
	return soon
}

func (p *Page) look(*http.Request, *visitor) bool { return p.Collector.PreviewSoon() }
