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

// TestPageOfMissing asks for what is missing by each of its addresses. What was pushed by its digest alone
// exists before it was counted.
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

// TestPageOfFolder is about visitors who shorten an address. Others must not see that a folder exists.
func TestPageOfFolder(t *testing.T) {
	b := browse(t, pageConfig(t), people+"#!anonymous pull public/*\n")
	client := b.client(t, "alice")
	for _, name := range []string{"team-a/shop/api", "public/shop/api", "public/shop"} {
		client.Push(t, name, "1", registrytest.Layer(1, 10))
	}
	alice, bob := b.as(t, "alice"), b.as(t, "bob")
	poll.Until(t, "the count", func() bool {
		return strings.Contains(alice.get(t, "/ui/?folder=team-a").text, "shop") && strings.Contains(b.get(t, "/ui/?folder=public").text, "shop")
	})
	for _, test := range []struct {
		name   string
		who    *browser
		path   string
		status int
		to     string
	}{
		{"a folder", alice, "team-a/shop", http.StatusSeeOther, "/ui/?folder=team-a%2Fshop"},
		{"one with a slash", alice, "team-a/", http.StatusSeeOther, "/ui/?folder=team-a"},
		{"a tag of one", alice, "team-a/shop:1", http.StatusNotFound, ""},
		{"one of others", bob, "team-a/shop", http.StatusNotFound, ""},
		{"one for everybody", b, "public", http.StatusSeeOther, "/ui/?folder=public"},
		{"a repository that is one, too", b, "public/shop", http.StatusOK, ""},
		{"one for who logs in", b, "team-a", http.StatusSeeOther, "/ui/login?to=%2Fui%2Fr%2Fteam-a"},
	} {
		if page := test.who.get(t, "/ui/r/"+test.path); page.status != test.status || page.location != test.to {
			t.Errorf("%s: %d, to %s", test.name, page.status, page.location)
		}
	}
}

// TestPageOfEndedSession expects the page to say once that a form was not carried out.
func TestPageOfEndedSession(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	for path, form := range map[string]url.Values{
		"delete":  {"repository": {"team-a/app"}, "confirmed": {"yes"}, "named": {"1@sha256:x"}},
		"collect": nil,
	} {
		page := b.post(t, "/ui/"+path, form)
		if page.status != http.StatusSeeOther || !strings.HasPrefix(page.location, "/ui/login?") {
			t.Errorf("%s: %d, to %s", path, page.status, page.location)
		}
		b.get(t, page.location).contains(t, "Your session has ended, so nothing was done.")
		b.get(t, page.location).contains(t, "not has ended")
	}
	b.get(t, b.get(t, "/ui/cleanup").location).contains(t, "not has ended")
}

// TestPageOfForms opens the addresses of forms, and expects to get to where the forms are.
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

// TestPageRepeatsReadable expects the page to repeat what was searched for in a readable form.
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

// TestPageWithoutUsers expects no way to log in.
func TestPageWithoutUsers(t *testing.T) {
	b := browse(t, pageConfig(t), "#!anonymous pull\n"+people)
	b.get(t, "/ui/").contains(t, "Log in")
	writeUsers(t, b.file, "#!anonymous pull\n")
	poll.Until(t, "the end of all users", func() bool { return !strings.Contains(b.get(t, "/ui/").text, "Log in") })
}
