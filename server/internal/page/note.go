package page

import "net/http"

const (
	// noteCookie lets one page say what a form came to. Anybody can make a link to an address that
	// would say so.
	noteCookie = "container-registry-note"
	// noteAge is how many seconds a browser has to go there.
	noteAge = 60
)

// note is for the page at an address.
func (p *Page) note(w http.ResponseWriter, path string) { p.setNote(w, path, noteAge) }

// noted is true once, for the page that is to say it.
func (p *Page) noted(w http.ResponseWriter, r *http.Request) bool {
	if _, err := r.Cookie(noteCookie); err != nil {
		return false
	}
	p.setNote(w, r.URL.EscapedPath(), -1)
	return true
}

func (p *Page) setNote(w http.ResponseWriter, path string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: noteCookie, Value: "yes", Path: path, MaxAge: age,
		HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteStrictMode,
	})
}
