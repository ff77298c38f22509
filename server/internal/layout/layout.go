// Package layout knows where the engine keeps what in a store.
package layout

import (
	"path"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// The engine's layout of a store, which it does not export:
//
//	blobs/<algorithm>/<two letters>/<hex>/data
//	repositories/<name>/_layers/<algorithm>/<hex>/link
//	repositories/<name>/_manifests/revisions/<algorithm>/<hex>/link
//	repositories/<name>/_manifests/tags/<tag>/current/link
//	repositories/<name>/_manifests/tags/<tag>/index/<algorithm>/<hex>/link
//	repositories/<name>/_uploads/…
//
// And what this server adds, which the engine and its own garbage collection pass by:
//
//	repositories/<name>/_referrers/<algorithm>/<hex of the subject>/<algorithm>/<hex>/link
//	repositories/<name>/_manifests/tags/<tag>/index/<algorithm>/<hex>/pushed.<time>.<time>
const (
	data    = "data"
	link    = "link"
	current = "current"
	index   = "index"
	carried = "pushed"

	Root         = "/docker/registry/v2"
	Blobs        = Root + "/blobs"
	Repositories = Root + "/repositories"

	Layers    = "_layers"
	Manifests = "_manifests"
	Revisions = Manifests + "/revisions"
	Tags      = Manifests + "/tags"
	Uploads   = "_uploads"
	Referrers = "_referrers"
)

// BlobPath is where a blob's bytes are.
func BlobPath(d digest.Digest) string {
	return path.Join(Blobs, d.Algorithm().String(), d.Encoded()[:2], d.Encoded(), data)
}

// IsFile says whether blobs and links have that name.
func IsFile(name string) bool { return name == data || name == link }

var unfinished = regexp.MustCompile(`^(` + data + `|` + link + `|` + carried + `\..+)\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$`)

// IsUnfinished says whether the driver for folders gives that name to a file until all of it is
// written.
func IsUnfinished(name string) bool { return unfinished.MatchString(name) }

// IsBlob says whether a path is of a blob's bytes.
func IsBlob(p string) bool { return strings.HasPrefix(p, Blobs+"/") && path.Base(p) == data }

// BlobOf says which blob's bytes a path is of, if it is of any.
func BlobOf(p string) (digest.Digest, bool) {
	parts := strings.Split(strings.TrimPrefix(p, Blobs+"/"), "/")
	if !IsBlob(p) || len(parts) != 4 {
		return "", false
	}
	valid := Valid(parts[0], parts[2:3])
	return append(valid, "")[0], len(valid) > 0
}

// UploadPath is where the bytes of an upload under way are; all else of it is beside them.
func UploadPath(repository, name string) string {
	return RepositoryPath(repository, Uploads, name, data)
}

// IsUpload says whether a path is of the bytes of an upload under way.
func IsUpload(p string) bool {
	return path.Base(p) == data && path.Base(path.Dir(path.Dir(p))) == Uploads
}

// IsUploadFolder says whether a path is of all that there is of an upload under way.
func IsUploadFolder(p string) bool { return path.Base(path.Dir(p)) == Uploads }

// IsBeginning says whether a path is of when an upload began.
func IsBeginning(p string) bool {
	return path.Base(p) == "startedat" && path.Base(path.Dir(path.Dir(p))) == Uploads
}

// SumOf is how many bytes of an upload a file has the sum of, if it has one.
func SumOf(p string) (offset string, ok bool) {
	parts := strings.Split(p, "/")
	n := len(parts)
	if n < 5 || parts[n-3] != "hashstates" || parts[n-5] != Uploads {
		return "", false
	}
	return parts[n-1], true
}

// IsSum says whether a path is of the sum of an upload's bytes.
func IsSum(p string) bool {
	_, ok := SumOf(p)
	return ok
}

// UploadOfSum is the folder of the upload whose sum a file has, if it has one.
func UploadOfSum(p string) (folder string, ok bool) {
	_, ok = SumOf(p)
	return path.Dir(path.Dir(path.Dir(p))), ok
}

// IsTag says whether a path is of what a tag names.
func IsTag(p string) bool {
	return path.Base(p) == link && path.Base(path.Dir(p)) == current && strings.Contains(p, "/"+Tags+"/")
}

var tagName = regexp.MustCompile(`^` + reference.TagRegexp.String() + `$`)

// IsTagName says whether a tag may have that name. Others are no parts of a path.
func IsTagName(name string) bool { return tagName.MatchString(name) }

const namePart = `[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*`

var repositoryName = regexp.MustCompile(`^` + namePart + `(/` + namePart + `)*$`)

// IsRepositoryName says whether a repository may have that name, by the distribution specification.
// The engine also takes a host for its beginning, with a port, which is no part of a path.
func IsRepositoryName(name string) bool {
	return len(name) <= reference.RepositoryNameTotalLengthMax && repositoryName.MatchString(name)
}

var place = regexp.MustCompile(`^[A-Za-z0-9._/-]*$`)

// IsPlace says whether a list can be continued after that: a name, or what sorts among names. The engine
// looks for it in the store by its path.
func IsPlace(last string) bool {
	return len(last) <= reference.RepositoryNameTotalLengthMax && place.MatchString(last) && !strings.Contains("/"+last+"/", "/../")
}

// IsTags says whether a path is the folder of a repository's tags.
func IsTags(p string) bool { return strings.HasSuffix(p, "/"+Tags) }

// TagFolder is that of the tag which a path is of, or leads into; empty for others.
func TagFolder(p string) string {
	repository, rest, found := strings.Cut(p, "/"+Tags+"/")
	if !found {
		return ""
	}
	tag, _, _ := strings.Cut(rest, "/")
	return repository + "/" + Tags + "/" + tag
}

// CurrentOf is where it is written what a tag names, by the tag's folder.
func CurrentOf(folder string) string { return path.Join(folder, current, link) }

// TagPath is where it is written what a tag names.
func TagPath(repository, tag string) string {
	return CurrentOf(RepositoryPath(repository, Tags, tag))
}

// TagIndexPath is the folder of the links to all manifests that a tag has ever named.
func TagIndexPath(repository, tag string) string { return RepositoryPath(repository, Tags, tag, index) }

// IsTagIndex says whether a folder inside of a repository's own is such a one.
func IsTagIndex(own string) bool {
	rest, ok := strings.CutPrefix(own, Tags+"/")
	_, name, _ := strings.Cut(rest, "/")
	return ok && name == index
}

// ReferrersPath is the folder of the links to manifests that are about another one.
func ReferrersPath(repository string, subject digest.Digest) string {
	return RepositoryPath(repository, Referrers, subject.Algorithm().String(), subject.Encoded())
}

// ReferrerPath is the link to one of them.
func ReferrerPath(repository string, subject, referrer digest.Digest) string {
	return LinkPath(ReferrersPath(repository, subject), referrer)
}

// ReferrersTag is the tag by which clients keep an index of them where a registry does not
// answer for them.
func ReferrersTag(subject digest.Digest) string {
	encoded := subject.Encoded()
	return subject.Algorithm().String() + "-" + encoded[:min(64, len(encoded))]
}

// companion is the name of tags by which clients find what is about a manifest in a
// registry without the referrers API: signatures of cosign, the referrers tag of OCI. It has
// no more than 64 letters of a digest.
var companion = regexp.MustCompile(`^(sha256|sha512)-([0-9a-f]{64})(\..+)?$`)

// Companion is what of the digest of a manifest stands in the name of a tag that is about it.
func Companion(tag string) (algorithm digest.Algorithm, encoded string, ok bool) {
	parts := companion.FindStringSubmatch(tag)
	if parts == nil {
		return "", "", false
	}
	return digest.Algorithm(parts[1]), parts[2], true
}

// IsReferrersTag says whether a tag may be for the index of what is about a manifest.
func IsReferrersTag(tag string) bool {
	algorithm, encoded, ok := Companion(tag)
	return ok && tag == algorithm.String()+"-"+encoded
}

// IsCompanion says whether a tag is for programs that look for what is about a manifest.
func IsCompanion(tag string) bool { return companion.MatchString(tag) }

// RevisionPath is the link by which a manifest is found.
func RevisionPath(repository string, d digest.Digest) string {
	return LinkPath(RepositoryPath(repository, Revisions), d)
}

// Inside parts a path into that of a repository and what is inside of its own folders. They alone
// begin with a line: no part of a repository's name does.
func Inside(p string) (repository, own string, ok bool) {
	repository, own, ok = strings.Cut(p, "/_")
	if ok {
		own = "_" + own
	}
	return repository, own, ok
}

// RepositoryPath is a folder or file of a repository.
func RepositoryPath(repository string, names ...string) string {
	return path.Join(append([]string{Repositories, repository}, names...)...)
}

// LinkPath is the link to a blob in a folder of links.
func LinkPath(folder string, d digest.Digest) string {
	return path.Join(folder, d.Algorithm().String(), d.Encoded(), link)
}
