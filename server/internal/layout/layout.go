// Package layout knows the paths of what the engine and this server keep in a store.
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
// And what this server adds, which the engine and its garbage collection ignore:
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

// IsFile says whether name is the name of a blob's or a link's file.
func IsFile(name string) bool { return name == data || name == link }

var unfinished = regexp.MustCompile(`^(` + data + `|` + link + `|` + carried + `\..+)\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$`)

// IsUnfinished says whether name is one that the filesystem driver gives to a file until all of it is
// written.
func IsUnfinished(name string) bool { return unfinished.MatchString(name) }

// IsBlob says whether a path is that of a blob's bytes.
func IsBlob(p string) bool { return strings.HasPrefix(p, Blobs+"/") && path.Base(p) == data }

// BlobOf is the digest of the blob whose bytes are at a path, if it is the path of one.
func BlobOf(p string) (digest.Digest, bool) {
	parts := strings.Split(strings.TrimPrefix(p, Blobs+"/"), "/")
	if !IsBlob(p) || len(parts) != 4 {
		return "", false
	}
	valid := Valid(parts[0], parts[2:3])
	return append(valid, "")[0], len(valid) > 0
}

// UploadPath is where the bytes of an upload under way are. Its other files are beside them.
func UploadPath(repository, name string) string {
	return RepositoryPath(repository, Uploads, name, data)
}

// IsUpload says whether a path is that of the bytes of an upload under way.
func IsUpload(p string) bool {
	return path.Base(p) == data && path.Base(path.Dir(path.Dir(p))) == Uploads
}

// IsUploadFolder says whether a path is the folder of an upload under way.
func IsUploadFolder(p string) bool { return path.Base(path.Dir(p)) == Uploads }

// IsBeginning says whether a path is that of the file that tells when an upload began.
func IsBeginning(p string) bool {
	return path.Base(p) == "startedat" && path.Base(path.Dir(path.Dir(p))) == Uploads
}

// SumOf is the number of an upload's bytes that the sum at a path covers. ok is false if the path is not one of a sum.
func SumOf(p string) (offset string, ok bool) {
	parts := strings.Split(p, "/")
	n := len(parts)
	if n < 5 || parts[n-3] != "hashstates" || parts[n-5] != Uploads {
		return "", false
	}
	return parts[n-1], true
}

// IsSum says whether a path is that of a sum of an upload's bytes.
func IsSum(p string) bool {
	_, ok := SumOf(p)
	return ok
}

// UploadOfSum is the folder of the upload whose sum is at a path. ok is false if the path is not one of a sum.
func UploadOfSum(p string) (folder string, ok bool) {
	_, ok = SumOf(p)
	return path.Dir(path.Dir(path.Dir(p))), ok
}

// IsTag says whether a path is that of the link to what a tag names.
func IsTag(p string) bool {
	return path.Base(p) == link && path.Base(path.Dir(p)) == current && strings.Contains(p, "/"+Tags+"/")
}

var tagName = regexp.MustCompile(`^` + reference.TagRegexp.String() + `$`)

// IsTagName says whether a tag may have that name. Other names can't be part of a path.
func IsTagName(name string) bool { return tagName.MatchString(name) }

const namePart = `[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*`

var repositoryName = regexp.MustCompile(`^` + namePart + `(/` + namePart + `)*$`)

// IsRepositoryName says whether the distribution specification allows a repository to have that name.
// The engine also accepts a name that begins with a host and a port, which can't be part of a path.
func IsRepositoryName(name string) bool {
	return len(name) <= reference.RepositoryNameTotalLengthMax && repositoryName.MatchString(name)
}

var place = regexp.MustCompile(`^[A-Za-z0-9._/-]*$`)

// IsPlace says whether a list can be continued after last: a name, or a text that sorts among names. The engine
// looks for it in the store as a path.
func IsPlace(last string) bool {
	return len(last) <= reference.RepositoryNameTotalLengthMax && place.MatchString(last) && !strings.Contains("/"+last+"/", "/../")
}

// IsTags says whether a path is the folder of a repository's tags.
func IsTags(p string) bool { return strings.HasSuffix(p, "/"+Tags) }

// TagFolder is the folder of the tag that a path belongs to. It is empty for other paths.
func TagFolder(p string) string {
	repository, rest, found := strings.Cut(p, "/"+Tags+"/")
	if !found {
		return ""
	}
	tag, _, _ := strings.Cut(rest, "/")
	return repository + "/" + Tags + "/" + tag
}

// CurrentOf is the path of the link to what a tag names, by the tag's folder.
func CurrentOf(folder string) string { return path.Join(folder, current, link) }

// TagPath is the path of the link to what a tag names.
func TagPath(repository, tag string) string {
	return CurrentOf(RepositoryPath(repository, Tags, tag))
}

// TagIndexPath is the folder of the links to all manifests that a tag has ever named.
func TagIndexPath(repository, tag string) string { return RepositoryPath(repository, Tags, tag, index) }

// IsTagIndex says whether a path, as Inside returns it in own, is such a folder.
func IsTagIndex(own string) bool {
	rest, ok := strings.CutPrefix(own, Tags+"/")
	_, name, _ := strings.Cut(rest, "/")
	return ok && name == index
}

// ReferrersPath is the folder of the links to manifests that refer to another one, the subject.
func ReferrersPath(repository string, subject digest.Digest) string {
	return RepositoryPath(repository, Referrers, subject.Algorithm().String(), subject.Encoded())
}

// ReferrerPath is the link to one of those manifests.
func ReferrerPath(repository string, subject, referrer digest.Digest) string {
	return LinkPath(ReferrersPath(repository, subject), referrer)
}

// ReferrersTag is the tag under which clients keep an index of a subject's referrers in registries without
// the referrers API.
func ReferrersTag(subject digest.Digest) string {
	encoded := subject.Encoded()
	return subject.Algorithm().String() + "-" + encoded[:min(64, len(encoded))]
}

// companion matches the tags by which clients find what refers to a manifest in a
// registry without the referrers API: signatures of cosign, the referrers tag of OCI. Such a name has
// no more than 64 letters of a digest.
var companion = regexp.MustCompile(`^(sha256|sha512)-([0-9a-f]{64})(\..+)?$`)

// Companion is the part of a manifest's digest that is in the name of a tag that belongs to the manifest.
func Companion(tag string) (algorithm digest.Algorithm, encoded string, ok bool) {
	parts := companion.FindStringSubmatch(tag)
	if parts == nil {
		return "", "", false
	}
	return digest.Algorithm(parts[1]), parts[2], true
}

// IsReferrersTag says whether a tag may be for the index of a manifest's referrers.
func IsReferrersTag(tag string) bool {
	algorithm, encoded, ok := Companion(tag)
	return ok && tag == algorithm.String()+"-"+encoded
}

// IsCompanion says whether a tag is for programs that look for what refers to a manifest.
func IsCompanion(tag string) bool { return companion.MatchString(tag) }

// RevisionPath is the link by which a manifest is found.
func RevisionPath(repository string, d digest.Digest) string {
	return LinkPath(RepositoryPath(repository, Revisions), d)
}

// Inside splits a path into that of a repository and the rest, which begins with one of the repository's own
// folders. Only those folders begin with an underscore: no part of a repository's name does.
func Inside(p string) (repository, own string, ok bool) {
	repository, own, ok = strings.Cut(p, "/_")
	if ok {
		own = "_" + own
	}
	return repository, own, ok
}

// RepositoryPath is the path of a folder or file of a repository.
func RepositoryPath(repository string, names ...string) string {
	return path.Join(append([]string{Repositories, repository}, names...)...)
}

// LinkPath is the path of the link to a blob in a folder of links.
func LinkPath(folder string, d digest.Digest) string {
	return path.Join(folder, d.Algorithm().String(), d.Encoded(), link)
}
