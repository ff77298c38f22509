package osstest

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// client sends signed requests to a server, signing with the package's own
// code. The bucket goes into the Host header; the connection goes to address.
type client struct {
	t       *testing.T
	address string
	host    string
}

func start(t *testing.T) (*Server, client) {
	t.Helper()
	s, address := Start(t, Config{
		Bucket: "bucket", Region: "cn-hangzhou",
		Credentials: []Credential{{AccessKeyID: "id", AccessKeySecret: "secret"}},
	})
	return s, client{t, address, "bucket.oss.localhost"}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// code is the Code of the error document, or "" for a success.
func (a answer) code() string {
	if a.status < 300 {
		return ""
	}
	var e apiError
	if err := xml.Unmarshal([]byte(a.body), &e); err != nil {
		return "unreadable: " + a.body
	}
	return e.Code
}

func (c client) do(method, target, body string, headers ...string) answer {
	c.t.Helper()
	r, err := http.NewRequest(method, "http://"+c.address+target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.host
	now := time.Now().UTC().Format(timeFormat)
	r.Header.Set("x-oss-date", now)
	r.Header.Set("x-oss-content-sha256", unsignedPayload)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	bucketName, _, _ := strings.Cut(c.host, ".")
	canonical, err := canonicalRequest(r, bucketName, strings.TrimPrefix(r.URL.Path, "/"), nil)
	if err != nil {
		c.t.Fatal(err)
	}
	toSign := stringToSign(now, now[:8], "cn-hangzhou", canonical)
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=id/%s/cn-hangzhou/oss/aliyun_v4_request, Signature=%s",
		algorithm, now[:8], signature(signingKey("secret", now[:8], "cn-hangzhou"), toSign)))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(got)}
}

func TestAddressing(t *testing.T) {
	_, c := start(t)
	for _, test := range []struct{ host, target, code string }{
		{"bucket.oss.localhost", "/?list-type=2", ""},
		{"bucket.127.0.0.1:1234", "/?list-type=2", ""},
		{"oss.localhost", "/bucket/key", "SecondLevelDomainForbidden"},
		{"127.0.0.1:1234", "/bucket/key", "SecondLevelDomainForbidden"},
		{"other.oss.localhost", "/?list-type=2", "NoSuchBucket"},
		{"bucket.example.com", "/key", "AccessDenied"},
	} {
		c.host = test.host
		if got := c.do(http.MethodGet, test.target, "").code(); got != test.code {
			t.Errorf("%s%s: %q, want %q", test.host, test.target, got, test.code)
		}
	}
}

func TestObject(t *testing.T) {
	_, c := start(t)
	put := c.do(http.MethodPut, "/a/b", "0123456789", "x-oss-meta-color", "red", "x-oss-server-side-encryption", "AES256")
	if put.status != http.StatusOK {
		t.Fatal(put)
	}
	// MD5 of the body, and its CRC-64/XZ, from other tools.
	if got := put.header.Get("ETag"); got != `"781E5E245D69B566979B86E28D23F2C7"` {
		t.Errorf("ETag %s", got)
	}
	if got := c.do(http.MethodPut, "/check", "123456789").header.Get("x-oss-hash-crc64ecma"); got != "11051210869376104954" {
		t.Errorf("CRC %s", got) // the check value of CRC-64/XZ, 0x995dc9bbdf1939fa
	}
	head := c.do(http.MethodHead, "/a/b", "")
	if head.header.Get("Content-Length") != "10" || head.header.Get("x-oss-meta-color") != "red" ||
		head.header.Get("x-oss-server-side-encryption") != "AES256" {
		t.Errorf("HEAD: %v", head.header)
	}
	missing := c.do(http.MethodHead, "/a", "")
	document, err := base64.StdEncoding.DecodeString(missing.header.Get("x-oss-err"))
	if missing.status != http.StatusNotFound || err != nil || !bytes.Contains(document, []byte("NoSuchKey")) {
		t.Errorf("HEAD of nothing: %v %s", missing, document)
	}
	if got := c.do(http.MethodPut, "/bad", "x", "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==").code(); got != "InvalidDigest" {
		t.Errorf("wrong Content-MD5: %q", got)
	}
	for value, want := range map[string]string{"true": "FileAlreadyExists", "false": "", "yes": "InvalidArgument"} {
		if got := c.do(http.MethodPut, "/check", "x", "x-oss-forbid-overwrite", value).code(); got != want {
			t.Errorf("x-oss-forbid-overwrite: %s: %q", value, got)
		}
	}
	if got := c.do(http.MethodPut, "/new", "x", "x-oss-forbid-overwrite", "true").status; got != http.StatusOK {
		t.Errorf("nothing to overwrite: %d", got)
	}
	if got := c.do(http.MethodDelete, "/a/b", "").status; got != http.StatusNoContent {
		t.Errorf("DELETE: %d", got)
	}
	if got := c.do(http.MethodGet, "/a/b", "").code(); got != "NoSuchKey" {
		t.Errorf("GET after DELETE: %q", got)
	}
}

func TestRange(t *testing.T) {
	_, c := start(t)
	c.do(http.MethodPut, "/k", "0123456789")
	for _, test := range []struct {
		header, behavior string
		status           int
		body             string
	}{
		{"bytes=2-4", "", 206, "234"},
		{"bytes=7-", "", 206, "789"},
		{"bytes=0-9", "", 200, "0123456789"},
		{"bytes=7-20", "", 200, "0123456789"},
		{"bytes=10-", "", 200, "0123456789"},
		{"bytes=7-20", "standard", 206, "789"},
		{"bytes=9-", "standard", 206, "9"},
		{"bytes=10-", "standard", 416, ""},
	} {
		got := c.do(http.MethodGet, "/k", "", "Range", test.header, "x-oss-range-behavior", test.behavior)
		if got.status != test.status || got.status < 300 && got.body != test.body {
			t.Errorf("%s %s: %d %s", test.header, test.behavior, got.status, got.body)
		}
	}
}

func TestDeleteObjects(t *testing.T) {
	s, c := start(t)
	c.do(http.MethodPut, "/a", "")
	c.do(http.MethodPut, "/b", "")
	body := "<Delete><Object><Key>a</Key></Object><Object><Key>nothing</Key></Object></Delete>"
	if got := c.do(http.MethodPost, "/?delete", body).code(); got != "InvalidDigest" {
		t.Errorf("without Content-MD5: %q", got)
	}
	sum := md5.Sum([]byte(body))
	got := c.do(http.MethodPost, "/?delete", body, "Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	if got.status != http.StatusOK || len(s.Objects()) != 1 {
		t.Errorf("%v, left: %v", got, s.Objects())
	}
}

func TestListPages(t *testing.T) {
	_, c := start(t)
	for _, key := range []string{"d/a", "d/b/1", "d/b/2", "d/b/3", "d/c", "d/e/1", "d/f+g", "e"} {
		if got := c.do(http.MethodPut, "/"+uriEncode(key, true), key); got.status != http.StatusOK {
			t.Fatal(got)
		}
	}
	list := func(query string) (names []string, pages int) {
		token := ""
		for {
			target := "/?list-type=2&" + query
			if token != "" {
				target += "&continuation-token=" + token
			}
			var result listObjectsResult
			if err := xml.Unmarshal([]byte(c.do(http.MethodGet, target, "").body), &result); err != nil {
				t.Fatal(err)
			}
			pages++
			for _, o := range result.Contents {
				names = append(names, o.Key)
			}
			for _, p := range result.CommonPrefixes {
				names = append(names, p.Prefix)
			}
			if !result.IsTruncated {
				slices.Sort(names)
				return names, pages
			}
			token = result.NextContinuationToken
		}
	}
	for _, test := range []struct {
		query string
		names string
		pages int
	}{
		{"max-keys=3", "d/a d/b/1 d/b/2 d/b/3 d/c d/e/1 d/f+g e", 3},
		{"prefix=d%2F&delimiter=%2F&max-keys=1", "d/a d/b/ d/c d/e/ d/f+g", 5},
		{"prefix=d%2F&delimiter=%2F&start-after=d%2Fb%2F2", "d/b/ d/c d/e/ d/f+g", 1},
		{"prefix=d%2Ff&encoding-type=url", "d%2Ff%2Bg", 1},
		{"prefix=x", "", 1},
	} {
		names, pages := list(test.query)
		if got := strings.Join(names, " "); got != test.names || pages != test.pages {
			t.Errorf("%s: %s in %d pages", test.query, got, pages)
		}
	}
	if got := c.do(http.MethodGet, "/?list-type=2&max-keys=1001", "").code(); got != "InvalidArgument" {
		t.Errorf("max-keys=1001: %q", got)
	}
}

func TestMultipart(t *testing.T) {
	s, c := start(t)
	var begun struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal([]byte(c.do(http.MethodPost, "/k?uploads", "").body), &begun); err != nil {
		t.Fatal(err)
	}
	id := begun.UploadID
	part := func(n int, body string) string {
		return c.do(http.MethodPut, fmt.Sprintf("/k?partNumber=%d&uploadId=%s", n, id), body).header.Get("ETag")
	}
	big := strings.Repeat("x", minPartSize)
	one, two, small := part(1, big), part(2, "tail"), part(3, "small")
	complete := func(parts ...string) answer {
		var b strings.Builder
		for i := 0; i < len(parts); i += 2 {
			fmt.Fprintf(&b, "<Part><PartNumber>%s</PartNumber><ETag>%s</ETag></Part>", parts[i], parts[i+1])
		}
		return c.do(http.MethodPost, "/k?uploadId="+id, "<CompleteMultipartUpload>"+b.String()+"</CompleteMultipartUpload>")
	}
	for _, test := range []struct {
		name  string
		parts []string
		code  string
	}{
		{"none", nil, "MalformedXML"},
		{"wrong order", []string{"2", two, "1", one}, "InvalidPartOrder"},
		{"wrong ETag", []string{"1", two}, "InvalidPart"},
		{"unknown part", []string{"9", one}, "InvalidPart"},
		{"small part before the last", []string{"1", one, "2", two, "3", small}, "EntityTooSmall"},
	} {
		if got := complete(test.parts...).code(); got != test.code {
			t.Errorf("%s: %q, want %q", test.name, got, test.code)
		}
	}
	if got := s.Uploads(); len(got) != 1 || got[0] != "k" {
		t.Errorf("uploads in progress: %v", got)
	}
	if got := complete("1", one, "2", two); got.status != http.StatusOK {
		t.Fatal(got)
	}
	if got := c.do(http.MethodGet, "/k", "").body; got != big+"tail" {
		t.Errorf("the object has %d bytes", len(got))
	}
	if got := complete("1", one).code(); got != "NoSuchUpload" {
		t.Errorf("completing twice: %q", got)
	}
	if got := c.do(http.MethodPut, "/k?partNumber=10001&uploadId="+id, "x").code(); got != "InvalidArgument" {
		t.Errorf("part 10001: %q", got)
	}
}

func TestListUploadsPages(t *testing.T) {
	_, c := start(t)
	for _, key := range []string{"a/1", "a/1", "a/2", "b"} {
		c.do(http.MethodPost, "/"+key+"?uploads", "")
	}
	var keys []string
	query := "/?uploads&prefix=a%2F&max-uploads=1"
	for markers := ""; ; {
		var result listUploadsResult
		if err := xml.Unmarshal([]byte(c.do(http.MethodGet, query+markers, "").body), &result); err != nil {
			t.Fatal(err)
		}
		for _, u := range result.Upload {
			keys = append(keys, u.Key)
		}
		if !result.IsTruncated {
			break
		}
		markers = "&key-marker=" + uriEncode(result.NextKeyMarker, false) + "&upload-id-marker=" + result.NextUploadIDMarker
	}
	if got := strings.Join(keys, " "); got != "a/1 a/1 a/2" {
		t.Errorf("uploads: %s", got)
	}
}
