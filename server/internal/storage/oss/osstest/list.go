package osstest

import (
	"encoding/base64"
	"encoding/xml"
	"slices"
	"strings"
)

type commonPrefix struct{ Prefix string }

type listedObject struct {
	Key          string
	LastModified string
	ETag         string
	Type         string
	Size         int64
	StorageClass string
}

type listObjectsResult struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Name                  string
	Prefix                string
	StartAfter            string `xml:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty"`
	IsTruncated           bool
	ContinuationToken     string `xml:",omitempty"`
	NextContinuationToken string `xml:",omitempty"`
	EncodingType          string `xml:",omitempty"`
	KeyCount              int
	Contents              []listedObject
	CommonPrefixes        []commonPrefix
}

// listObjects is ListObjectsV2. A continuation token is the last key or prefix
// that was listed, and wins over start-after.
func (s *Server) listObjects(c call) error {
	q := c.r.URL.Query()
	limit, err := number(q.Get("max-keys"), 100, 1, 1000)
	if err != nil {
		return err
	}
	after := q.Get("start-after")
	token := q.Get("continuation-token")
	if token != "" {
		decoded, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return errInvalidArgument("The continuation token is invalid.")
		}
		after = string(decoded)
	}
	prefix, delimiter, encode := q.Get("prefix"), q.Get("delimiter"), c.encoding()
	result := listObjectsResult{
		Name: s.bucketName, Prefix: encode(prefix), StartAfter: encode(q.Get("start-after")), MaxKeys: limit,
		Delimiter: encode(delimiter), ContinuationToken: token, EncodingType: q.Get("encoding-type"),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := s.bucket.keys
	i, _ := slices.BinarySearch(keys, prefix)
	last := ""
	for ; i < len(keys) && strings.HasPrefix(keys[i], prefix); i++ {
		key, group := keys[i], ""
		if delimiter != "" {
			if rest, _, found := strings.Cut(key[len(prefix):], delimiter); found {
				group = prefix + rest + delimiter
			}
		}
		// A group already listed, here or on the page before, swallows its keys.
		if key <= after || group != "" && (group == last || token != "" && group == after) {
			continue
		}
		if result.KeyCount == limit {
			result.IsTruncated = true
			result.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		result.KeyCount++
		if group != "" {
			last = group
			result.CommonPrefixes = append(result.CommonPrefixes, commonPrefix{encode(group)})
			continue
		}
		last = key
		o := s.bucket.objects[key]
		result.Contents = append(result.Contents, listedObject{encode(key), timestamp(o.modified), o.etag, o.kind, o.data.size(), "Standard"})
	}
	writeXML(c.w, result)
	return nil
}

type listedUpload struct {
	Key       string
	UploadID  string `xml:"UploadId"`
	Initiated string
}

type listUploadsResult struct {
	XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
	Bucket             string
	EncodingType       string `xml:",omitempty"`
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string
	NextUploadIDMarker string `xml:"NextUploadIdMarker"`
	Prefix             string
	MaxUploads         int
	IsTruncated        bool
	Upload             []listedUpload
}

// listUploads is ListMultipartUploads, ordered by key and then upload ID.
func (s *Server) listUploads(c call) error {
	q := c.r.URL.Query()
	limit, err := number(q.Get("max-uploads"), 1000, 1, 1000)
	if err != nil {
		return err
	}
	if q.Has("delimiter") {
		return errInvalidArgument("This test server lists uploads without delimiter only.")
	}
	prefix, keyMarker, idMarker, encode := q.Get("prefix"), q.Get("key-marker"), q.Get("upload-id-marker"), c.encoding()
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*upload
	for _, u := range s.bucket.uploads {
		past := u.key > keyMarker || idMarker != "" && u.key == keyMarker && u.id > idMarker
		if strings.HasPrefix(u.key, prefix) && past {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b *upload) int {
		if order := strings.Compare(a.key, b.key); order != 0 {
			return order
		}
		return strings.Compare(a.id, b.id)
	})
	result := listUploadsResult{
		Bucket: s.bucketName, EncodingType: q.Get("encoding-type"), KeyMarker: encode(keyMarker), UploadIDMarker: idMarker,
		Prefix: encode(prefix), MaxUploads: limit,
	}
	if len(found) > limit {
		found, result.IsTruncated = found[:limit], true
	}
	for _, u := range found {
		result.Upload = append(result.Upload, listedUpload{encode(u.key), u.id, timestamp(u.initiated)})
		result.NextKeyMarker, result.NextUploadIDMarker = encode(u.key), u.id
	}
	writeXML(c.w, result)
	return nil
}
