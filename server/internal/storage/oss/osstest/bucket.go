package osstest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// attributes are the headers of an object that outlive the upload.
type attributes struct {
	contentType string
	encryption  string
	keyID       string
	meta        map[string]string
}

// object is a finished object. It never changes; a new one replaces it.
type object struct {
	attributes
	data     content
	etag     string
	crc      uint64
	kind     string
	modified time.Time
}

// part is an uploaded part.
type part struct {
	data     content
	etag     string
	crc      uint64
	modified time.Time
}

// upload is a multipart upload that is neither completed nor aborted.
type upload struct {
	attributes
	id, key   string
	initiated time.Time
	parts     map[int]part
}

// bucket is the state behind the handlers. The server's lock guards it.
type bucket struct {
	objects map[string]object
	keys    []string // of objects, sorted
	uploads map[string]*upload
}

func newBucket() bucket {
	return bucket{objects: map[string]object{}, uploads: map[string]*upload{}}
}

func (b *bucket) put(key string, o object) {
	if old, ok := b.objects[key]; ok {
		old.data.release()
	} else {
		i, _ := slices.BinarySearch(b.keys, key)
		b.keys = slices.Insert(b.keys, i, key)
	}
	b.objects[key] = o
}

func (b *bucket) remove(key string) {
	old, ok := b.objects[key]
	if !ok {
		return
	}
	old.data.release()
	delete(b.objects, key)
	i, _ := slices.BinarySearch(b.keys, key)
	b.keys = slices.Delete(b.keys, i, i+1)
}

// drop ends an upload and gives its parts up.
func (b *bucket) drop(u *upload) {
	for _, p := range u.parts {
		p.data.release()
	}
	delete(b.uploads, u.id)
}

func (b *bucket) clear() {
	for _, key := range slices.Clone(b.keys) {
		b.remove(key)
	}
	for _, u := range b.uploads {
		b.drop(u)
	}
}

func (b *bucket) upload(id, key string) (*upload, error) {
	u, ok := b.uploads[id]
	if !ok || u.key != key {
		return nil, errNoSuchUpload()
	}
	return u, nil
}

// attributesOf reads the attributes a request gives to a new object.
func attributesOf(h http.Header) (attributes, error) {
	a := attributes{
		contentType: h.Get("Content-Type"),
		encryption:  h.Get("x-oss-server-side-encryption"),
		keyID:       h.Get("x-oss-server-side-encryption-key-id"),
		meta:        map[string]string{},
	}
	switch a.encryption {
	case "", "AES256", "KMS", "SM4":
	default:
		return a, errInvalidArgument("x-oss-server-side-encryption is invalid.")
	}
	if a.keyID != "" && a.encryption != "KMS" {
		return a, errInvalidArgument("x-oss-server-side-encryption-key-id needs KMS.")
	}
	for name := range h {
		if rest, ok := strings.CutPrefix(strings.ToLower(name), "x-oss-meta-"); ok {
			a.meta[rest] = h.Get(name)
		}
	}
	return a, nil
}

// write puts the attributes into an answer.
func (a attributes) write(h http.Header) {
	if a.contentType != "" {
		h.Set("Content-Type", a.contentType)
	}
	if a.encryption != "" {
		h.Set("x-oss-server-side-encryption", a.encryption)
	}
	if a.keyID != "" {
		h.Set("x-oss-server-side-encryption-key-id", a.keyID)
	}
	for name, value := range a.meta {
		h.Set("x-oss-meta-"+name, value)
	}
}

// ObjectInfo describes a stored object to a test.
type ObjectInfo struct {
	Key         string
	Size        int64
	Kind        string
	Encryption  string
	KeyID       string
	ContentType string
}

// Objects lists every object of the bucket, sorted by key.
func (s *Server) Objects() []ObjectInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]ObjectInfo, 0, len(s.bucket.keys))
	for _, key := range s.bucket.keys {
		o := s.bucket.objects[key]
		out = append(out, ObjectInfo{key, o.data.size(), o.kind, o.encryption, o.keyID, o.contentType})
	}
	return out
}

// Uploads returns the keys of the multipart uploads in progress, sorted.
func (s *Server) Uploads() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []string{}
	for _, u := range s.bucket.uploads {
		keys = append(keys, u.key)
	}
	slices.Sort(keys)
	return keys
}
