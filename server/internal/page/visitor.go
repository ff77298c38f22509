package page

import (
	"net/http"
	"net/url"
	"time"

	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/htpasswd"
	"container-registry/server/internal/layout"
)

// visitor is somebody who looks at the page.
type visitor struct {
	// name is empty for a visitor who is not logged in.
	name   string
	rights htpasswd.Rights
	// users is whether there are users who can log in.
	users bool
}

// mayLogIn says whether the visitor could log in, and then see and do more.
func (v *visitor) mayLogIn() bool { return v.name == "" && v.users }

// visitor returns nil for somebody who has to log in first.
func (p *Page) visitor(w http.ResponseWriter, r *http.Request) *visitor {
	if p.Access == nil {
		return &visitor{rights: htpasswd.FullRights}
	}
	users := p.Access.Users()
	if name := p.sessions.User(w, r, users, time.Now()); name != "" {
		accesslog.SetUser(r.Context(), name)
		return &visitor{name, users.Rights(name), true}
	}
	if anonymous := users.Anonymous(); anonymous != nil {
		return &visitor{"", *anonymous, users.Any()}
	}
	return nil
}

// forVisitors sends everybody else to log in, and then back to where they wanted to go.
func (p *Page) forVisitors(show func(w http.ResponseWriter, r *http.Request, v *visitor)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := p.visitor(w, r)
		switch {
		case v == nil:
			if r.Method == http.MethodPost {
				p.refused(r, nil)
			}
			p.askForLogin(w, r)
		case len(p.Failing(r.Context())) > 0:
			p.showAway(w, r, v)
		default:
			show(w, r, v)
		}
	}
}

// askForLogin redirects to the login, which leads back to the page that was asked for. If a form came after the
// end of the session, it leads back to where the form was sent from.
func (p *Page) askForLogin(w http.ResponseWriter, r *http.Request) {
	query := url.Values{}
	switch repository := r.PostForm.Get("repository"); {
	case r.Method == http.MethodGet && r.URL.RequestURI() != p.base:
		query.Set("to", r.URL.RequestURI())
	case layout.IsRepositoryName(repository):
		query.Set("to", p.link("r/"+repository, nil))
	case r.URL.Path == p.base+"preview" || r.URL.Path == p.base+"collect":
		query.Set("to", p.link("cleanup", nil))
	}
	if r.Method == http.MethodPost {
		p.note(w, p.link("login", nil))
	}
	http.Redirect(w, r, p.link("login", query), http.StatusSeeOther)
}
