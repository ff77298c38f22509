package layout

import (
	"strings"

	"github.com/opencontainers/go-digest"
)

// Kind is the purpose of a link.
type Kind int

// The kinds of links in a repository.
const (
	LayerLink    Kind = iota + 1
	RevisionLink      // by which a manifest is found
	TagLink           // what a tag names
	IndexLink         // what a tag has ever named
	ReferrerLink      // what refers to another manifest
)

// Link is a file of a repository that leads to a blob.
type Link struct {
	Kind Kind
	// Digest is what the link leads to. It is empty for a TagLink: only the content of the file tells it.
	Digest digest.Digest
	// Tag is set for the links of a tag, and Subject for links to the subject's referrers.
	Tag     string
	Subject digest.Digest
}

// ParseLink parses the path of a link inside a repository's own folders, as Inside returns it.
func ParseLink(own string) (Link, bool) {
	parts := strings.Split(own, "/")
	last := len(parts) - 1
	if parts[last] != link {
		return Link{}, false
	}
	rest := func(folder string) bool { return strings.HasPrefix(own, folder+"/") }
	var l Link
	var digests []string
	switch {
	case rest(Layers) && last == 3:
		l.Kind, digests = LayerLink, parts[1:last]
	case rest(Revisions) && last == 4:
		l.Kind, digests = RevisionLink, parts[2:last]
	case rest(Tags) && last == 4 && parts[3] == current:
		return Link{Kind: TagLink, Tag: parts[2]}, true
	case rest(Tags) && last == 6 && parts[3] == index:
		l.Kind, l.Tag, digests = IndexLink, parts[2], parts[4:last]
	case rest(Referrers) && last == 5:
		l.Kind, digests = ReferrerLink, parts[3:last]
		subject := Valid(parts[1], parts[2:3])
		if len(subject) == 0 {
			return Link{}, false
		}
		l.Subject = subject[0]
	default:
		return Link{}, false
	}
	valid := Valid(digests[0], digests[1:])
	if len(valid) == 0 {
		return Link{}, false
	}
	l.Digest = valid[0]
	return l, true
}

// linkAt parses the whole path of a link.
func linkAt(p string) (repository string, l Link, ok bool) {
	repository, own, ok := Inside(strings.TrimPrefix(p, Repositories+"/"))
	if ok {
		l, ok = ParseLink(own)
	}
	return repository, l, ok
}

// RevisionOf says which manifest a path links to, if it is that of a link to a manifest.
func RevisionOf(p string) (repository string, d digest.Digest, ok bool) {
	repository, l, ok := linkAt(p)
	return repository, l.Digest, ok && l.Kind == RevisionLink
}

// LinkOf says which layer or manifest a path links to, if it is that of a link to one.
func LinkOf(p string) (d digest.Digest, ok bool) {
	_, l, ok := linkAt(p)
	return l.Digest, ok && (l.Kind == LayerLink || l.Kind == RevisionLink)
}

// IsLink says whether a path is that of a file that holds a digest and nothing else.
func IsLink(p string) bool {
	_, ok := LinkOf(p)
	return ok || IsTag(p)
}

// KeptBy is the link that a link to a layer depends on. If clients name a layer by a digest of another algorithm,
// its link leads nowhere without the one by the digest that the engine keeps the bytes by.
func KeptBy(p string, leads digest.Digest) (link string, ok bool) {
	repository, l, ok := linkAt(p)
	if !ok || l.Kind != LayerLink || l.Digest.Algorithm() == digest.Canonical || leads.Validate() != nil || leads.Algorithm() != digest.Canonical {
		return "", false
	}
	return LinkPath(RepositoryPath(repository, Layers), leads), true
}
