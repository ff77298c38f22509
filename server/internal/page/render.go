package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/images"
)

//go:embed templates
var files embed.FS

// pages are the templates by the name of the page.
type pages map[string]*template.Template

func newPages(base string) pages {
	layout := template.Must(template.New("layout.html").Funcs(functions(base)).ParseFS(files, "templates/layout.html", "templates/parts.html"))
	// What is embedded can be read.
	entries, _ := files.ReadDir("templates")
	all := pages{}
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".html"); ok && name != "layout" && name != "parts" {
			all[name] = template.Must(template.Must(layout.Clone()).ParseFS(files, "templates/"+entry.Name()))
		}
	}
	return all
}

func functions(base string) template.FuncMap {
	return template.FuncMap{
		"base":      func() string { return base },
		"bytes":     bytesText[int64],
		"size":      bytesText[images.Size],
		"ago":       func(t time.Time) string { return ago(time.Since(t)) },
		"time":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"short":     short,
		"duration":  func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"count":     countText,
		"asset":     asset,
		"words":     words,
		"cut":       cut,
		"ending":    func(tag string) string { return tag[strings.LastIndexByte(tag, '.'):] },
		"labelled":  func(title string, pairs images.Pairs) labelled { return labelled{title, pairs} },
		"predicate": predicateName,
	}
}

// asset is one's address, which changes with it: browsers keep it.
func asset(name string) (string, error) {
	content, err := assets.ReadFile("assets/" + name)
	sum := sha256.Sum256(content)
	return name + "?v=" + hex.EncodeToString(sum[:6]), err
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

// Users says whether there are any to log in.
func (v *visitor) Users() bool { return v.users }

// render answers with a page. It is written when it is whole.
func (p *Page) render(w http.ResponseWriter, r *http.Request, v *visitor, status int, name, title string, content any) {
	section := "repositories"
	if name == "cleanup" || name == "login" {
		section = name
	}
	var page bytes.Buffer
	err := p.pages[name].Execute(&page, view{title, p.base, p.registry(r), v, section, content})
	if err != nil {
		p.Log.WithError(err).Errorf("the page %s could not be made", name)
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	// The browser is gone when this fails.
	_, _ = page.WriteTo(w)
}

// problem is what is shown in place of a page.
type problem struct{ Text string }

func (p *Page) showProblem(w http.ResponseWriter, r *http.Request, v *visitor, status int, text string) {
	p.render(w, r, v, status, "problem", http.StatusText(status), problem{text})
}

func (p *Page) showMissing(w http.ResponseWriter, r *http.Request, v *visitor) {
	if v == nil {
		if v = p.visitor(w, r); v == nil {
			p.askForLogin(w, r)
			return
		}
	}
	p.showProblem(w, r, v, http.StatusNotFound, "There is nothing here, or it is not for you to see.")
}

// showFailure is for what the store did not answer. Who looks gets no more than that.
func (p *Page) showFailure(w http.ResponseWriter, r *http.Request, v *visitor, err error) {
	if r.Context().Err() != nil {
		return
	}
	p.Log.WithError(err).Warn("a page could not be made of what the store holds")
	p.showAway(w, r, v)
}

func (p *Page) showAway(w http.ResponseWriter, r *http.Request, v *visitor) {
	w.Header().Set("Retry-After", "10")
	p.showProblem(w, r, v, http.StatusServiceUnavailable, "The registry's store does not answer. Try again in a moment.")
}

// registry is how images of this registry begin.
func (p *Page) registry(r *http.Request) string {
	if p.host != nil {
		return p.host.Host
	}
	return r.Host
}

// link is an address of this page.
func (p *Page) link(path string, query url.Values) string {
	return (&url.URL{Path: p.base + path, RawQuery: query.Encode()}).String()
}

// bytesText is for example 1.2 GB.
func bytesText[N ~int64](n N) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.5 && unit < len(units)-1 {
		value /= 1000
		unit++
	}
	if value < 10 {
		return fmt.Sprintf("%.1f %cB", value, units[unit])
	}
	return fmt.Sprintf("%.0f %cB", value, units[unit])
}

// countText is for example 3 tags.
func countText(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func ago(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.length); n >= 1 {
			return countText(n, unit.name, unit.name+"s") + " ago"
		}
	}
	return "just now"
}

// short is enough of a digest to tell it from others.
func short(d digest.Digest) string {
	if d.Validate() != nil {
		return ""
	}
	return d.Encoded()[:12]
}

// labelled are pairs with what they are.
type labelled struct {
	Title string
	Pairs images.Pairs
}

// words are as one would type them, or as a list where that is not plain.
func words(list images.List[images.Text]) string {
	var parts []string
	plain := true
	for _, each := range list.Items {
		parts = append(parts, string(each))
		plain = plain && each != "" && !strings.ContainsAny(string(each), " \t\n\"'")
	}
	if plain {
		return strings.Join(parts, " ")
	}
	// Texts can't fail to be written.
	text, _ := json.Marshal(parts)
	return string(text)
}

// cut is the beginning of a text of a client's.
func cut(text string) string {
	const most = 120
	letters := []rune(text)
	if len(letters) <= most {
		return text
	}
	return string(letters[:most]) + "…"
}

// predicateName is what people call a type of attestation.
func predicateName(predicate images.Text) string {
	name := string(predicate)
	for part, known := range map[string]string{"slsa.dev/provenance": "provenance", "spdx.dev": "SPDX", "cyclonedx.org": "CycloneDX", "openvex": "VEX"} {
		if strings.Contains(name, part) {
			return known
		}
	}
	return cut(name)
}
