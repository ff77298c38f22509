package server

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestPageKeepsParts of what stays, though they have tags of their own that go, or are chosen by
// their digest: without one of them the other could not be pulled.
func TestPageKeepsParts(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	amd := client.Push(t, "team-a/app", "1-amd64", registrytest.Layer(1, 1000))
	arm := client.Push(t, "team-a/app", "1-arm64", registrytest.Layer(2, 1000))
	inner := client.PushIndex(t, "team-a/app", "", amd)
	client.PushIndex(t, "team-a/app", "1", inner, arm)
	tags := url.Values{"repository": {"team-a/app"}, "tag": {"1-amd64", "1-arm64"}}
	asked := alice.post(t, "/ui/delete", tags)
	asked.contains(t, "Delete 2 tags?", "These images stay, as parts of others", "in 1", "It frees nothing", "not Delete these images too")
	byDigest := url.Values{"repository": {"team-a/app"}, "digest": {inner.String()}}
	if page := alice.post(t, "/ui/delete", byDigest); page.status != http.StatusConflict || !strings.Contains(page.text, "is part of 1,") {
		t.Errorf("by digest: %d: %s", page.status, page.text)
	}
	byDigest.Set("confirmed", "yes")
	byDigest.Set("images", "yes")
	alice.post(t, "/ui/delete", byDigest)
	confirmed := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}, "named": {"1-amd64@" + amd.String(), "1-arm64@" + arm.String()}}
	if page := alice.post(t, "/ui/delete", confirmed); page.location != "/ui/r/team-a/app?deleted=2" {
		t.Errorf("%d, to %s: %s", page.status, page.location, page.text)
	}
	if lines := strings.Join(client.Pulled(t), "\n"); !strings.Contains(lines, amd.String()) || !strings.Contains(lines, arm.String()) {
		t.Errorf("left are\n%s", lines)
	}
	// With what they are part of they go.
	alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "tag": {"1"}}).contains(t, "with 3 parts")
}

// TestPageOfLongFolders costs no more than others: each folder above it has a link.
func TestPageOfLongFolders(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice := b.as(t, "alice")
	for _, folder := range []string{strings.Repeat("a/", 10_000) + "b", "a//b", "Team", "../.."} {
		if page := alice.get(t, "/ui/?"+url.Values{"q": {"x"}, "folder": {folder}}.Encode()); page.status != http.StatusNotFound || len(page.text) > 100_000 {
			t.Errorf("%.20s: %d, %d bytes", folder, page.status, len(page.text))
		}
	}
}
