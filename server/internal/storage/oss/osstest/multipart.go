package osstest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	minPartSize   = 100 << 10
	maxPartNumber = 10000
)

// timestamp is the format of times in XML documents.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) initiateUpload(c call) error {
	attrs, err := attributesOf(c.r.Header)
	if err != nil {
		return err
	}
	u := &upload{attributes: attrs, id: newID(16), key: c.key, initiated: s.auth.now(), parts: map[int]part{}}
	s.mu.Lock()
	s.bucket.uploads[u.id] = u
	s.mu.Unlock()
	writeXML(c.w, struct {
		XMLName      xml.Name `xml:"InitiateMultipartUploadResult"`
		EncodingType string   `xml:",omitempty"`
		Bucket       string
		Key          string
		UploadID     string `xml:"UploadId"`
	}{EncodingType: c.r.URL.Query().Get("encoding-type"), Bucket: s.bucketName, Key: c.encoding()(c.key), UploadID: u.id})
	return nil
}

func partNumber(r *http.Request) (int, error) {
	n, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil || n < 1 || n > maxPartNumber {
		return 0, errInvalidArgument("Part number must be an integer between 1 and 10000, inclusive.")
	}
	return n, nil
}

// addPart stores p in the upload the request names. On failure the part's data
// is given up.
func (s *Server) addPart(c call, number int, p part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.bucket.upload(c.r.URL.Query().Get("uploadId"), c.key)
	if err != nil {
		p.data.release()
		return err
	}
	if old, ok := u.parts[number]; ok {
		old.data.release()
	}
	u.parts[number] = p
	return nil
}

func (s *Server) uploadPart(c call) error {
	number, err := partNumber(c.r)
	if err != nil {
		return err
	}
	data, sums, err := s.receive(c.r)
	if err != nil {
		return err
	}
	p := part{data, sums.etag(), sums.crc.Sum64(), s.auth.now()}
	if err := s.addPart(c, number, p); err != nil {
		return err
	}
	c.w.Header().Set("ETag", p.etag)
	setCRC(c.w.Header(), p.crc)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) uploadPartCopy(c call) error {
	number, err := partNumber(c.r)
	if err != nil {
		return err
	}
	source, err := s.copySource(c.r)
	if err != nil {
		return err
	}
	defer source.data.release()
	first, last := int64(0), source.data.size()-1
	if spec := c.r.Header.Get("x-oss-copy-source-range"); spec != "" {
		if _, err := fmt.Sscanf(spec, "bytes=%d-%d", &first, &last); err != nil || first > last || last >= source.data.size() {
			return apiError{status: http.StatusRequestedRangeNotSatisfiable, Code: "InvalidRange",
				Message: "The requested range cannot be satisfied."}
		}
	}
	data := source.data.slice(first, last-first+1)
	sums := newDigest()
	if err := data.writeTo(sums); err != nil {
		return err
	}
	p := part{data.retain(), sums.etag(), sums.crc.Sum64(), s.auth.now()}
	if err := s.addPart(c, number, p); err != nil {
		return err
	}
	writeXML(c.w, copyResult{xml.Name{Local: "CopyPartResult"}, p.etag, timestamp(p.modified)})
	return nil
}

func (s *Server) completeUpload(c call) error {
	type wantedPart struct {
		PartNumber int
		ETag       string
	}
	var request struct{ Part []wantedPart }
	if err := xml.NewDecoder(c.r.Body).Decode(&request); err != nil || len(request.Part) == 0 {
		return apiError{status: http.StatusBadRequest, Code: "MalformedXML",
			Message: "The XML you provided was not well-formed or did not validate against our published schema."}
	}
	for i, p := range request.Part[1:] {
		if p.PartNumber <= request.Part[i].PartNumber {
			return apiError{status: http.StatusBadRequest, Code: "InvalidPartOrder",
				Message: "The list of parts was not in ascending order."}
		}
	}
	s.mu.Lock()
	u, err := s.bucket.upload(c.r.URL.Query().Get("uploadId"), c.key)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	var data content
	for i, wanted := range request.Part {
		p, ok := u.parts[wanted.PartNumber]
		switch {
		case !ok || strings.Trim(wanted.ETag, `"`) != strings.Trim(p.etag, `"`):
			err = apiError{status: http.StatusBadRequest, Code: "InvalidPart",
				Message: "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."}
		case p.data.size() < minPartSize && i < len(request.Part)-1:
			err = apiError{status: http.StatusBadRequest, Code: "EntityTooSmall",
				Message: "Your proposed upload smaller than the minimum allowed size."}
		}
		if err != nil {
			s.mu.Unlock()
			return err
		}
		data = append(data, p.data...)
	}
	data.retain()
	s.bucket.drop(u)
	s.mu.Unlock()

	crc := newCRC()
	if err := data.writeTo(crc); err != nil {
		return err
	}
	// The ETag of a multipart object is unique, and not the MD5 of its data.
	etag := fmt.Sprintf(`"%s-%d"`, newID(16), len(request.Part))
	o := object{attributes: u.attributes, data: data, etag: etag, crc: crc.Sum64(), kind: "Multipart", modified: s.auth.now()}
	s.mu.Lock()
	s.bucket.put(c.key, o)
	s.mu.Unlock()
	setCRC(c.w.Header(), o.crc)
	writeXML(c.w, struct {
		XMLName  xml.Name `xml:"CompleteMultipartUploadResult"`
		Location string
		Bucket   string
		Key      string
		ETag     string
	}{Location: "http://" + c.r.Host + "/" + c.key, Bucket: s.bucketName, Key: c.key, ETag: etag})
	return nil
}

func (s *Server) abortUpload(c call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.bucket.upload(c.r.URL.Query().Get("uploadId"), c.key)
	if err != nil {
		return err
	}
	s.bucket.drop(u)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) listParts(c call) error {
	q := c.r.URL.Query()
	limit, err := number(q.Get("max-parts"), 1000, 1, 1000)
	if err != nil {
		return err
	}
	marker, err := number(q.Get("part-number-marker"), 0, 0, maxPartNumber)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := s.bucket.upload(q.Get("uploadId"), c.key)
	if err != nil {
		return err
	}
	type listed struct {
		PartNumber    int
		LastModified  string
		ETag          string
		HashCrc64ecma string
		Size          int64
	}
	var result struct {
		XMLName              xml.Name `xml:"ListPartsResult"`
		Bucket               string
		Key                  string
		UploadID             string `xml:"UploadId"`
		PartNumberMarker     int
		NextPartNumberMarker int
		MaxParts             int
		IsTruncated          bool
		Part                 []listed
	}
	result.Bucket, result.Key, result.UploadID = s.bucketName, c.key, u.id
	result.PartNumberMarker, result.MaxParts = marker, limit
	numbers := make([]int, 0, len(u.parts))
	for n := range u.parts {
		if n > marker {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	if len(numbers) > limit {
		numbers, result.IsTruncated = numbers[:limit], true
	}
	for _, n := range numbers {
		p := u.parts[n]
		result.Part = append(result.Part, listed{n, timestamp(p.modified), p.etag, strconv.FormatUint(p.crc, 10), p.data.size()})
		result.NextPartNumberMarker = n
	}
	writeXML(c.w, result)
	return nil
}

// number parses a count from the query: fallback when absent, else from low to high.
func number(s string, fallback, low, high int) (int, error) {
	if s == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, errInvalidArgument("A number in the query is out of range.")
	}
	return n, nil
}
