package osstest

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"hash"
	"hash/crc64"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// inMemory is the largest body kept in memory; larger ones become files.
const inMemory = 64 << 10

// spool keeps bodies outside the heap.
type spool struct{ dir string }

// blob is a stored body. Objects and copies share it, so it counts its users.
type blob struct {
	refs  atomic.Int64
	bytes []byte // nil when the body is in the file
	path  string
	size  int64
}

// span is a stretch of a blob.
type span struct {
	blob      *blob
	off, size int64
}

// content is the data of an object or part: spans one after the other. A
// server-side copy takes spans of another content and moves no byte.
type content []span

func (c content) size() int64 {
	var n int64
	for _, s := range c {
		n += s.size
	}
	return n
}

// retain adds a user to every blob of c.
func (c content) retain() content {
	for _, s := range c {
		s.blob.refs.Add(1)
	}
	return c
}

// release takes a user from every blob of c and drops blobs nobody uses.
func (c content) release() {
	for _, s := range c {
		if s.blob.refs.Add(-1) == 0 && s.blob.path != "" {
			os.Remove(s.blob.path)
		}
	}
}

// slice is the stretch [off, off+n) of c. The caller retains it.
func (c content) slice(off, n int64) content {
	var out content
	for _, s := range c {
		if n == 0 {
			break
		}
		if off >= s.size {
			off -= s.size
			continue
		}
		take := min(n, s.size-off)
		out = append(out, span{s.blob, s.off + off, take})
		off, n = 0, n-take
	}
	return out
}

// writeTo copies the data of c to w.
func (c content) writeTo(w io.Writer) error {
	for _, s := range c {
		if err := s.writeTo(w); err != nil {
			return err
		}
	}
	return nil
}

func (s span) writeTo(w io.Writer) error {
	if s.blob.path == "" {
		_, err := w.Write(s.blob.bytes[s.off : s.off+s.size])
		return err
	}
	f, err := os.Open(s.blob.path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, io.NewSectionReader(f, s.off, s.size))
	return err
}

// digest holds the checksums the service reports.
type digest struct {
	md5 hash.Hash
	crc hash.Hash64
}

func newDigest() digest { return digest{md5.New(), newCRC()} }

func newCRC() hash.Hash64 { return crc64.New(crc64.MakeTable(crc64.ECMA)) }

func (d digest) Write(p []byte) (int, error) {
	d.md5.Write(p)
	return d.crc.Write(p)
}

// etag is the quoted upper-case MD5 the service uses for plain objects.
func (d digest) etag() string {
	return `"` + strings.ToUpper(hex.EncodeToString(d.md5.Sum(nil))) + `"`
}

// store reads a body to its end. The caller owns the returned content.
func (s spool) store(body io.Reader) (content, digest, error) {
	sums := newDigest()
	body = io.TeeReader(body, sums)
	var head bytes.Buffer
	n, err := io.CopyN(&head, body, inMemory+1)
	if err == io.EOF {
		b := &blob{bytes: head.Bytes(), size: n}
		return content{{b, 0, n}}.retain(), sums, nil
	}
	if err != nil {
		return nil, sums, err
	}
	f, err := os.CreateTemp(s.dir, "blob-")
	if err != nil {
		return nil, sums, err
	}
	defer f.Close()
	n, err = io.Copy(f, io.MultiReader(&head, body))
	if err != nil {
		os.Remove(f.Name())
		return nil, sums, err
	}
	b := &blob{path: f.Name(), size: n}
	return content{{b, 0, n}}.retain(), sums, nil
}
