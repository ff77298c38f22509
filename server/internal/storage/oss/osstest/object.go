package osstest

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// copyLimit is the largest object CopyObject takes; the documents send larger
// ones to UploadPartCopy.
const copyLimit = 1 << 30

// receive spools the body of a request and checks its Content-MD5, if any.
func (s *Server) receive(r *http.Request) (content, digest, error) {
	data, sums, err := s.spool.store(r.Body)
	if err != nil {
		return nil, sums, err
	}
	if want := r.Header.Get("Content-MD5"); want != "" && want != base64.StdEncoding.EncodeToString(sums.md5.Sum(nil)) {
		data.release()
		return nil, sums, apiError{status: http.StatusBadRequest, Code: "InvalidDigest",
			Message: "The Content-MD5 you specified was invalid."}
	}
	return data, sums, nil
}

func (s *Server) putObject(c call) error {
	attrs, err := attributesOf(c.r.Header)
	if err != nil {
		return err
	}
	forbid, err := forbidsOverwrite(c.r.Header)
	if err != nil {
		return err
	}
	data, sums, err := s.receive(c.r)
	if err != nil {
		return err
	}
	o := object{attributes: attrs, data: data, etag: sums.etag(), crc: sums.crc.Sum64(), kind: "Normal", modified: s.auth.now()}
	s.mu.Lock()
	_, exists := s.bucket.objects[c.key]
	if exists && forbid {
		s.mu.Unlock()
		data.release()
		return apiError{status: http.StatusConflict, Code: "FileAlreadyExists", EC: "0026-00000002",
			Message: "The object you specified already exists and can not be overwritten."}
	}
	s.bucket.put(c.key, o)
	s.mu.Unlock()
	c.w.Header().Set("ETag", o.etag)
	setCRC(c.w.Header(), o.crc)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// forbidsOverwrite behaves as for a bucket without versions. With versions, OSS ignores the header.
func forbidsOverwrite(h http.Header) (bool, error) {
	switch h.Get("x-oss-forbid-overwrite") {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	default:
		return false, errInvalidArgument("x-oss-forbid-overwrite is invalid.")
	}
}

func setCRC(h http.Header, crc uint64) {
	h.Set("x-oss-hash-crc64ecma", strconv.FormatUint(crc, 10))
}

// find returns an object whose data stays readable until it is released.
func (s *Server) find(key string) (object, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.bucket.objects[key]
	if !ok {
		return object{}, errNoSuchKey()
	}
	o.data.retain()
	return o, nil
}

func (s *Server) headObject(c call) error {
	o, err := s.find(c.key)
	if err != nil {
		return err
	}
	defer o.data.release()
	o.describe(c.w.Header())
	c.w.Header().Set("Content-Length", strconv.FormatInt(o.data.size(), 10))
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (o object) describe(h http.Header) {
	o.attributes.write(h)
	h.Set("ETag", o.etag)
	h.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	h.Set("x-oss-object-type", o.kind)
	h.Set("x-oss-storage-class", "Standard")
	h.Set("Accept-Ranges", "bytes")
	setCRC(h, o.crc)
}

func (s *Server) getObject(c call) error {
	o, err := s.find(c.key)
	if err != nil {
		return err
	}
	defer o.data.release()
	if match := c.r.Header.Get("If-Match"); match != "" && match != o.etag {
		return errPrecondition()
	}
	size := o.data.size()
	first, last, err := readRange(c.r.Header, size)
	if err != nil {
		return err
	}
	h := c.w.Header()
	o.describe(h)
	h.Set("Content-Length", strconv.FormatInt(last-first+1, 10))
	status := http.StatusOK
	if first != 0 || last != size-1 {
		h.Set("Content-Range", "bytes "+strconv.FormatInt(first, 10)+"-"+strconv.FormatInt(last, 10)+"/"+strconv.FormatInt(size, 10))
		status = http.StatusPartialContent
	}
	c.w.WriteHeader(status)
	return o.data.slice(first, last-first+1).writeTo(c.w)
}

// readRange applies the Range header. By default OSS ignores a range that does
// not fit and sends the whole object; with x-oss-range-behavior: standard it
// clips the end and refuses a start past the end.
func readRange(h http.Header, size int64) (first, last int64, err error) {
	spec, ok := strings.CutPrefix(h.Get("Range"), "bytes=")
	from, to, dash := strings.Cut(spec, "-")
	first, errFirst := strconv.ParseInt(from, 10, 64)
	last, errLast := strconv.ParseInt(to, 10, 64)
	if to == "" {
		last, errLast = size-1, nil
	}
	if !ok || !dash || errFirst != nil || errLast != nil || first > last && first < size {
		return 0, size - 1, nil
	}
	if h.Get("x-oss-range-behavior") != "standard" {
		if first >= size || last >= size {
			return 0, size - 1, nil
		}
		return first, last, nil
	}
	if first >= size {
		return 0, 0, apiError{status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange",
			Message: "The requested range cannot be satisfied."}
	}
	return first, min(last, size-1), nil
}

func (s *Server) deleteObject(c call) error {
	s.mu.Lock()
	s.bucket.remove(c.key)
	s.mu.Unlock()
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// deleteObjects is DeleteMultipleObjects: at most 1000 keys, and the body must
// match its Content-MD5.
func (s *Server) deleteObjects(c call) error {
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return err
	}
	sum := md5.Sum(body)
	if c.r.Header.Get("Content-MD5") != base64.StdEncoding.EncodeToString(sum[:]) {
		return apiError{status: http.StatusBadRequest, Code: "InvalidDigest", Message: "The Content-MD5 you specified was invalid."}
	}
	var request struct {
		Quiet  bool
		Object []struct{ Key string }
	}
	if xml.Unmarshal(body, &request) != nil || len(request.Object) == 0 || len(request.Object) > 1000 {
		return apiError{status: http.StatusBadRequest, Code: "MalformedXML",
			Message: "The XML you provided was not well-formed or did not validate against our published schema."}
	}
	type deleted struct{ Key string }
	var result struct {
		XMLName      xml.Name `xml:"DeleteResult"`
		EncodingType string   `xml:",omitempty"`
		Deleted      []deleted
	}
	encode := c.encoding()
	result.EncodingType = c.r.URL.Query().Get("encoding-type")
	s.mu.Lock()
	for _, o := range request.Object {
		s.bucket.remove(o.Key)
		if !request.Quiet {
			result.Deleted = append(result.Deleted, deleted{encode(o.Key)})
		}
	}
	s.mu.Unlock()
	writeXML(c.w, result)
	return nil
}

// encoding is the encoder encoding-type asks for.
func (c call) encoding() func(string) string {
	if c.r.URL.Query().Get("encoding-type") == "url" {
		return url.QueryEscape
	}
	return func(s string) string { return s }
}

// copySource resolves x-oss-copy-source. The caller releases the object.
func (s *Server) copySource(r *http.Request) (object, error) {
	source, err := url.PathUnescape(r.Header.Get("x-oss-copy-source"))
	if err != nil {
		return object{}, errInvalidArgument("x-oss-copy-source is invalid.")
	}
	bucketName, key, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	if bucketName != s.bucketName {
		return object{}, apiError{status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist."}
	}
	o, err := s.find(key)
	if err != nil {
		return object{}, err
	}
	if match := r.Header.Get("x-oss-copy-source-if-match"); match != "" && match != o.etag {
		o.data.release()
		return object{}, errPrecondition()
	}
	return o, nil
}

type copyResult struct {
	XMLName      xml.Name
	ETag         string
	LastModified string
}

func (s *Server) copyObject(c call) error {
	source, err := s.copySource(c.r)
	if err != nil {
		return err
	}
	if source.data.size() > copyLimit {
		source.data.release()
		return apiError{status: http.StatusBadRequest, Code: "EntityTooLarge", Message: "The object is too large for CopyObject."}
	}
	attrs, err := attributesOf(c.r.Header)
	if err != nil {
		source.data.release()
		return err
	}
	// Metadata is copied by default; encryption is that of the request.
	o := source
	o.encryption, o.keyID = attrs.encryption, attrs.keyID
	o.kind, o.modified = "Normal", s.auth.now()
	s.mu.Lock()
	s.bucket.put(c.key, o)
	s.mu.Unlock()
	setCRC(c.w.Header(), o.crc)
	writeXML(c.w, copyResult{xml.Name{Local: "CopyObjectResult"}, o.etag, timestamp(o.modified)})
	return nil
}
