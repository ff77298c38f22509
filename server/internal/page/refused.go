package page

import (
	"context"
	"net/http"
	"strings"
	"time"

	"container-registry/server/internal/access"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/writes"
)

// fromElsewhere is the reason for refusing a form that no page of the registry sent.
const fromElsewhere = "sent by another page"

// Audit records what visitors ask for and the engine does not see.
type Audit interface {
	Observe(context.Context, writes.Write)
	ObserveRefusal(context.Context, writes.Write)
}

// refused records that a visitor has no right to what a form asks for. v is nil for somebody who has to log in
// first.
func (p *Page) refused(r *http.Request, v *visitor) {
	if v == nil || v.name == "" {
		p.refusedFor(r, "", access.NotLoggedIn)
		return
	}
	p.refusedFor(r, v.name, access.NotAllowed)
}

func (p *Page) refusedFor(r *http.Request, user, reason string) {
	w := p.asked(r, user)
	if p.Audit == nil || w.Action == "" {
		return
	}
	w.Reason = reason
	p.Audit.ObserveRefusal(context.WithoutCancel(r.Context()), w)
}

// ordered records that a visitor had something done.
func (p *Page) ordered(r *http.Request, v *visitor) {
	if p.Audit != nil {
		p.Audit.Observe(context.WithoutCancel(r.Context()), p.asked(r, v.name))
	}
}

// asked is what a form asks for, without what cannot be a name or a digest. If it is not one of the page's
// forms, there is no action.
func (p *Page) asked(r *http.Request, user string) writes.Write {
	w := writes.Write{Time: time.Now(), User: user, Address: r.RemoteAddr, UserAgent: r.UserAgent()}
	switch form := strings.TrimPrefix(r.URL.Path, p.base); form {
	case "login", "logout", "collect", "preview":
		w.Action = writes.Action(form)
	case "delete":
		w.Action = writes.Delete
		if repository := r.PostForm.Get("repository"); layout.IsRepositoryName(repository) {
			w.Repository = repository
		}
		tags, digests := chosen(r.PostForm)
		confirmed, _ := seen(r.PostForm)
		for _, tag := range append(tags, confirmed...) {
			w.Kind, w.Tags = writes.Tag, append(w.Tags, writes.TagChange{Name: tag})
		}
		if len(w.Tags) == 0 && len(digests) > 0 {
			w.Kind, w.Digest = writes.Manifest, digests[0]
		}
	}
	return w
}
