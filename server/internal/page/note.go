package page

import "net/http"

const (
	// noteCookie makes one page say what a form has led to. An address that said so would not do, because
	// anybody can make a link to it.
	noteCookie = "container-registry-note"
	// noteAge is the number of seconds that a browser has to load that page.
	noteAge = 60
)

// note sets the cookie for the page at an address.
func (p *Page) note(w http.ResponseWriter, path string) { p.setNote(w, path, noteAge) }

// noted is true once, for the page that is to say what the form has led to.
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
