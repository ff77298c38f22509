package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"container-registry/server/internal/page"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// TestPageOfMissing is missing by each of its addresses, and what was pushed by its digest alone is there
// before it was counted.
func TestPageOfMissing(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	ui := b.at.ui.(*page.Page)
	ui.Holdings = uncounted{ui.Holdings}
	alice := b.as(t, "alice")
	b.client(t, "alice").Push(t, "team-a/untagged", "", registrytest.Layer(1, 10))
	b.client(t, "alice").Push(t, "team-a/tagged", "1", registrytest.Layer(1, 10))
	for path, want := range map[string]int{
		"nothing": http.StatusNotFound, "nothing?untagged": http.StatusNotFound, "nothing?untagged&deleted=1": http.StatusOK,
		"untagged": http.StatusOK, "untagged?untagged": http.StatusOK,
		"tagged": http.StatusOK, "tagged?untagged": http.StatusOK,
	} {
		if page := alice.get(t, "/ui/r/team-a/"+path); page.status != want {
			t.Errorf("%s: %d, want %d", path, page.status, want)
		}
	}
}

// TestPageOfForms that nobody sent lead to where they are.
func TestPageOfForms(t *testing.T) {
	alice := browse(t, pageConfig(t), people).as(t, "alice")
	for form, want := range map[string]string{"logout": "/ui/", "delete": "/ui/", "collect": "/ui/cleanup", "preview": "/ui/cleanup"} {
		if page := alice.get(t, "/ui/"+form); page.status != http.StatusSeeOther || page.location != want {
			t.Errorf("%s: %d, to %s", form, page.status, page.location)
		}
	}
	if page := alice.get(t, "/ui/"); page.status != http.StatusOK {
		t.Errorf("the session has ended: %d", page.status)
	}
}

// TestPageRepeatsReadable what was searched for.
func TestPageRepeatsReadable(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	b.client(t, "alice").Push(t, "team-a/app", "1", registrytest.Layer(1, 10))
	alice := b.as(t, "alice")
	for _, path := range []string{"/ui/", "/ui/r/team-a/app"} {
		for _, odd := range []string{"\u202e", "\u2028"} {
			alice.get(t, path+"?"+url.Values{"q": {"gnp" + odd + "exe"}}.Encode()).contains(t, "gnp\ufffdexe", "not "+odd)
		}
	}
}

// TestPageWithoutUsers has no way to log in.
func TestPageWithoutUsers(t *testing.T) {
	b := browse(t, pageConfig(t), "#!anonymous pull\n"+people)
	b.get(t, "/ui/").contains(t, "Log in")
	writeUsers(t, b.file, "#!anonymous pull\n")
	poll.Until(t, "the end of all users", func() bool { return !strings.Contains(b.get(t, "/ui/").text, "Log in") })
}
