package page

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
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
	// Reading what is embedded cannot fail.
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
		"need":      needText,
		"ago":       func(t time.Time) string { return ago(time.Since(t)) },
		"since":     func(t time.Time) string { return cmp.Or(span(time.Since(t)), "a moment") },
		"time":      func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
		"iso":       func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"short":     short,
		"when":      func(g going) string { return g.when(time.Now()) },
		"period":    period,
		"duration":  func(d time.Duration) string { return d.Round(time.Millisecond).String() },
		"count":     countText,
		"asset":     asset,
		"words":     words,
		"cut":       cut,
		"ending":    func(tag string) string { return tag[strings.LastIndexByte(tag, '.'):] },
		"future":    func(t time.Time) bool { return t.After(time.Now()) },
		"ahead":     func(t time.Time) string { return ahead(time.Until(t)) },
		"labelled":  func(title string, pairs images.Pairs) labelled { return labelled{title, pairs} },
		"predicate": predicateName,
		"listed":    listed,
	}
}

// asset is the address of an asset. It changes with the asset, because browsers keep that.
func asset(name string) (string, error) {
	content, err := assets.ReadFile("assets/" + name)
	sum := sha256.Sum256(content)
	return name + "?v=" + hex.EncodeToString(sum[:6]), err
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

// needText is for example at least 1.2 GB.
func needText(n images.Need) string {
	if n.More {
		return "at least " + bytesText(n.Size)
	}
	return bytesText(n.Size)
}

// countText is for example 3 tags.
func countText(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ago may be given a time in the future, by the clock of whoever wrote it.
func ago(d time.Duration) string {
	if d <= -time.Minute {
		return ahead(-max(d, -math.MaxInt64))
	}
	if text := span(d); text != "" {
		return text + " ago"
	}
	return "just now"
}

// ahead is for example in 12 days. Rules count in days, so they become months only from 100 on.
func ahead(d time.Duration) string {
	if days := int(d / (24 * time.Hour)); days >= 1 && days < 100 {
		return "in " + countText(days, "day", "days")
	}
	return "in " + cmp.Or(span(d), "a moment")
}

// span is an approximate duration, empty for less than a minute.
func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{365 * 24 * time.Hour, "year"}, {30 * 24 * time.Hour, "month"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := int(d / unit.length); n >= 1 {
			return countText(n, unit.name, unit.name+"s")
		}
	}
	return ""
}

// period is for example 7 days, or 90m.
func period(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return countText(int(d/day), "day", "days")
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(text, zero); ok {
			text = rest + zero[:1]
		}
	}
	return text
}

// short is enough of a digest to tell it from others.
func short(d digest.Digest) string {
	if d.Validate() != nil {
		return ""
	}
	return d.Encoded()[:12]
}

// labelled are pairs with a title.
type labelled struct {
	Title string
	Pairs images.Pairs
}

// words are joined as one would type them, or written as a list if that would be ambiguous.
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
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	// The template escapes it.
	encoder.SetEscapeHTML(false)
	// Encoding strings cannot fail.
	_ = encoder.Encode(parts)
	return strings.TrimSpace(text.String())
}

// listed is the beginning of a list of names.
func listed(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + " and others"
}

// cut is the beginning of a text that came from a client.
func cut(text string) string {
	const most = 120
	letters := []rune(images.Readable(text))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most]) + "…"
}

// predicateName is what people call a type of attestation.
func predicateName(predicate images.Word) string {
	name := string(predicate)
	for part, known := range map[string]string{"slsa.dev/provenance": "provenance", "spdx.dev": "SPDX", "cyclonedx.org": "CycloneDX", "openvex": "VEX"} {
		if strings.Contains(name, part) {
			return known
		}
	}
	return cut(name)
}
