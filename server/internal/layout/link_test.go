package layout

import (
	"path"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestParseLink parses all links that this package has paths for, and paths that only look like those of links.
func TestParseLink(t *testing.T) {
	d, subject := digest.FromString("a"), digest.SHA512.FromString("b")
	for p, want := range map[string]Link{
		LinkPath(RepositoryPath("team/app", Layers), d):   {Kind: LayerLink, Digest: d},
		RevisionPath("team/app", d):                       {Kind: RevisionLink, Digest: d},
		TagPath("team/app", "1"):                          {Kind: TagLink, Tag: "1"},
		LinkPath(TagIndexPath("team/app", "1"), d):        {Kind: IndexLink, Digest: d, Tag: "1"},
		LinkPath(TagIndexPath("team/app", "current"), d):  {Kind: IndexLink, Digest: d, Tag: "current"},
		ReferrerPath("team/app", subject, d):              {Kind: ReferrerLink, Digest: d, Subject: subject},
		RevisionPath("team/app", "sha256:ab"):             {},
		ReferrerPath("team/app", "sha256:ab", d):          {},
		path.Dir(TagPath("team/app", "1")):                {},
		TagPath("team/app", "1/2"):                        {},
		TagPath("team/app", "1") + ".tmp":                 {},
		UploadPath("team/app", "1"):                       {},
		CarriedPath("team/app", "1", Carried{d, 1, 2}):    {},
		LinkPath(RepositoryPath("team/app", "_other"), d): {},
	} {
		repository, own, _ := Inside(p)
		if got, ok := ParseLink(own); got != want || ok != (want != Link{}) || repository != RepositoryPath("team/app") {
			t.Errorf("%s: got %+v, %v", p, got, ok)
		}
		if named, got, ok := RevisionOf(p); ok != (want.Kind == RevisionLink) || ok && (named != "team/app" || got != d) {
			t.Errorf("%s: a link to the manifest %s of %s: %v", p, got, named, ok)
		}
		if got, ok := LinkOf(p); ok != (want.Kind == RevisionLink || want.Kind == LayerLink) || ok && got != d {
			t.Errorf("%s: a link to %s: %v", p, got, ok)
		}
	}
}

func TestIsTagIndex(t *testing.T) {
	for own, want := range map[string]bool{
		Tags + "/1/index": true, Tags + "/index/index": true, Tags + "/index": false, Tags + "/1/current": false,
		Tags + "/1/index/sha256": false, Revisions + "/1/index": false,
	} {
		if IsTagIndex(own) != want {
			t.Errorf("%s: want %v", own, want)
		}
	}
}
