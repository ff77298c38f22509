package page

import (
	"bytes"
	"embed"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/paths"
)

//go:embed assets
var assets embed.FS

// frame is what the pages of a registry and of a mirror have in common.
type frame struct {
	// api and base are where the API and the page are; both end with a slash.
	api, base string
	// host is http.host, which clients are told. It is nil if it is not configured.
	host  *url.URL
	mux   *http.ServeMux
	pages pages
	log   *logrus.Entry
}

func newFrame(c *configuration.Configuration, log *logrus.Entry) *frame {
	base := paths.Base(c.HTTP.Prefix) + "ui/"
	f := &frame{api: paths.API(c.HTTP.Prefix), base: base, mux: http.NewServeMux(), pages: newPages(base), log: log}
	if host, err := url.Parse(c.HTTP.Host); err == nil && host.Host != "" {
		// Browsers write it in lower case where they say which page a form comes from.
		host.Host = strings.ToLower(host.Host)
		f.host = host
	}
	for _, name := range []string{"style.css", "page.js", "icon.svg"} {
		f.mux.HandleFunc("GET "+base+name, f.serveAsset)
	}
	return f
}

// around lets own answer below the page's path, and next everywhere else.
func (f *frame) around(own, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path+"/" == f.base:
			http.Redirect(w, r, f.base, http.StatusSeeOther)
		case strings.HasPrefix(r.URL.Path, f.base):
			protect(w.Header())
			bounds.Hurry(r, formPatience)
			r.Body = http.MaxBytesReader(w, r.Body, longestForm)
			own.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Entrance redirects browsers from / to the page. All other clients ask at / whether the registry can be used.
func (f *frame) Entrance(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Vary", "Accept")
			http.Redirect(w, r, f.base, http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// protect makes a browser run and show only what belongs to the page, and keeps other pages from showing it.
func protect(header http.Header) {
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	// With no referrer at all, a form would come from an unknown origin.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Cache-Control", "no-store")
}

func (f *frame) serveAsset(w http.ResponseWriter, r *http.Request) {
	// The address of an asset changes with its content.
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, assets, "assets/"+strings.TrimPrefix(r.URL.Path, f.base))
}

// view is what the layout shows.
type view struct {
	Title   string
	Base    string
	Name    string
	Visitor *visitor
	// Section is the entry of the menu that the page belongs to.
	Section string
	Content any
}

// User is for the layout.
func (v *visitor) User() string { return v.name }

// Users says whether there are users who can log in.
func (v *visitor) Users() bool { return v.users }

// render responds with a page, which is written once it is complete.
func (f *frame) render(w http.ResponseWriter, r *http.Request, v *visitor, status int, name, title string, content any) {
	section := "repositories"
	if name == "cleanup" || name == "login" {
		section = name
	}
	var page whole
	err := f.pages[name].Execute(&page, view{title, f.base, f.registry(r), v, section, content})
	if errors.Is(err, errLong) {
		f.log.Warnf("the page %s of %.256q would be longer than any is sent", name, r.URL.Path)
		f.showProblem(w, r, v, http.StatusUnprocessableEntity, "This page would be too long: what it is about has more text than anybody reads. Clients of the API can get it.")
		return
	}
	if err != nil {
		f.log.WithError(err).Errorf("the page %s could not be made", name)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	// If this fails, the browser is gone.
	_, _ = page.text.WriteTo(w)
}

// longestPage is more than the page of any image that is meant for people takes.
const longestPage = 8 << 20

var errLong = errors.New("the page is too long")

// whole is a page before it is sent.
type whole struct{ text bytes.Buffer }

func (p *whole) Write(part []byte) (int, error) {
	if p.text.Len()+len(part) > longestPage {
		return 0, errLong
	}
	return p.text.Write(part)
}

// problem is what is shown in place of a page.
type problem struct{ Text string }

func (f *frame) showProblem(w http.ResponseWriter, r *http.Request, v *visitor, status int, text string) {
	f.render(w, r, v, status, "problem", http.StatusText(status), problem{text})
}

// registry is what the names of this registry's images begin with.
func (f *frame) registry(r *http.Request) string {
	if f.host != nil {
		return f.host.Host
	}
	return r.Host
}

// link is an address of this page.
func (f *frame) link(path string, query url.Values) string {
	return (&url.URL{Path: f.base + path, RawQuery: query.Encode()}).String()
}
