package page

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"container-registry/server/internal/access"
	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/credential"
)

// loginForm is what the form shows.
type loginForm struct {
	Problem string
	// Ended is set for a visitor who sent a form that was not carried out.
	Ended bool
	User  string
	// To is where to go after the login.
	To string
	// Anonymous is whether there is something to see without a login.
	Anonymous bool
}

func (p *Page) showLogin(w http.ResponseWriter, r *http.Request) {
	if v := p.visitor(w, r); p.Access == nil || v != nil && v.name != "" {
		http.Redirect(w, r, p.base, http.StatusSeeOther)
		return
	}
	p.render(w, r, nil, http.StatusOK, "login", "Log in", p.loginForm(loginForm{To: r.URL.Query().Get("to"), Ended: p.noted(w, r)}))
}

func (p *Page) loginForm(form loginForm) loginForm {
	form.To = p.within(form.To)
	form.Anonymous = p.Access.Users().Anonymous() != nil
	return form
}

// within returns an address of this page unchanged, and the page's start for every other address.
func (p *Page) within(to string) string {
	address, err := url.Parse(to)
	if err != nil || address.IsAbs() || address.Host != "" || !strings.HasPrefix(address.Path, p.base) || slices.Contains(strings.Split(address.Path, "/"), "..") {
		return p.base
	}
	return address.RequestURI()
}

func (p *Page) login(w http.ResponseWriter, r *http.Request) {
	if p.Access == nil {
		http.Redirect(w, r, p.base, http.StatusSeeOther)
		return
	}
	form := p.loginForm(loginForm{User: r.PostForm.Get("user"), To: r.PostForm.Get("to")})
	err := p.Access.Login(r, form.User, r.PostForm.Get("password"))
	var refused *credential.Refused
	status := http.StatusUnauthorized
	switch {
	case err == nil:
		accesslog.SetUser(r.Context(), form.User)
		p.sessions.Begin(w, p.Access.Users(), form.User, time.Now())
		http.Redirect(w, r, form.To, http.StatusSeeOther)
		return
	case errors.As(err, &refused):
		w.Header().Set("Retry-After", strconv.Itoa(int(refused.Wait.Seconds())))
		status, form.Problem = http.StatusTooManyRequests, "Not tried: "+refused.Error()+"."
	case errors.Is(err, credential.ErrWrong):
		form.Problem = "Unknown user or wrong password."
	default:
		// The browser is gone.
		return
	}
	p.render(w, r, nil, status, "login", "Log in", form)
}

func (p *Page) logout(w http.ResponseWriter, r *http.Request) {
	to := ""
	if p.Access != nil {
		users := p.Access.Users()
		if err := p.sessions.End(w, r, users, time.Now()); err != nil {
			p.Log.WithError(err).Warn("other servers of this registry cannot be told that a session of the page has ended: a copy of its cookie stays good there until the store can be written")
		}
		if users.Anonymous() == nil {
			to = "login"
		}
	}
	http.Redirect(w, r, p.link(to, nil), http.StatusSeeOther)
}

// send sends a request to the engine as an API client of the visitor's would, and returns
// the status of its answer.
func (p *Page) send(r *http.Request, v *visitor, method, path string) int {
	ctx := r.Context()
	if v.name != "" {
		ctx = access.As(ctx, v.name)
	}
	request := (&http.Request{
		Method: method, URL: &url.URL{Path: p.api + path}, RequestURI: p.api + path,
		Host: r.Host, RemoteAddr: r.RemoteAddr, TLS: r.TLS, Form: url.Values{}, Body: http.NoBody,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"User-Agent": r.Header["User-Agent"]},
	}).WithContext(ctx)
	answer := &status{header: http.Header{}}
	p.engine.ServeHTTP(answer, request)
	return answer.code()
}

// status keeps the status of a response, and nothing else of it.
type status struct {
	header http.Header
	given  int
}

func (s *status) Header() http.Header { return s.header }

func (s *status) WriteHeader(code int) {
	if s.given == 0 && code >= http.StatusOK {
		s.given = code
	}
}

func (s *status) Write(content []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(content), nil
}

func (s *status) code() int {
	if s.given == 0 {
		return http.StatusOK
	}
	return s.given
}
