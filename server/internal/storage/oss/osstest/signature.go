package osstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	algorithm       = "OSS4-HMAC-SHA256"
	unsignedPayload = "UNSIGNED-PAYLOAD"
	scopeSuffix     = "aliyun_v4_request"
	service         = "oss"
	timeFormat      = "20060102T150405Z"
)

// uriEncode is the documents' URI-encode(): unreserved characters stay, every
// other byte becomes %XX in upper case. Slashes stay only in paths.
func uriEncode(s string, keepSlash bool) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

// canonicalURI names the resource as the documents' table does: "/" for the
// service, "/bucket/" for a bucket, "/bucket/object" for an object. The bucket
// is part of the URI although virtual-hosted requests carry it in the host name.
func canonicalURI(bucket, key string) string {
	if bucket == "" {
		return "/"
	}
	return uriEncode("/"+bucket+"/"+key, true)
}

// canonicalQuery encodes each name and value again, from their decoded form,
// and sorts by encoded name. x-oss-signature is never part of what it signs.
func canonicalQuery(rawQuery string) (string, error) {
	type pair struct{ name, value string }
	var pairs []pair
	for item := range strings.SplitSeq(rawQuery, "&") {
		if item == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(item, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return "", err
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return "", err
		}
		if name == "x-oss-signature" {
			continue
		}
		pairs = append(pairs, pair{uriEncode(name, false), uriEncode(value, false)})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		if p.value != "" {
			b.WriteByte('=')
			b.WriteString(p.value)
		}
	}
	return b.String(), nil
}

// alwaysSigned tells whether a header takes part in the signature whenever it
// is present.
func alwaysSigned(lowerName string) bool {
	return lowerName == "content-type" || lowerName == "content-md5" || strings.HasPrefix(lowerName, "x-oss-")
}

// canonicalHeaders lists the headers that are signed, one line each, sorted.
// The Go server keeps Host and Content-Length out of the header map.
func canonicalHeaders(r *http.Request, additional []string) string {
	values := map[string]string{}
	for name, vs := range r.Header {
		lower := strings.ToLower(name)
		if alwaysSigned(lower) || slices.Contains(additional, lower) {
			trimmed := make([]string, len(vs))
			for i, v := range vs {
				trimmed[i] = strings.TrimSpace(v)
			}
			values[lower] = strings.Join(trimmed, ",")
		}
	}
	if slices.Contains(additional, "host") {
		values["host"] = r.Host
	}
	if slices.Contains(additional, "content-length") {
		values["content-length"] = strconv.FormatInt(r.ContentLength, 10)
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(name + ":" + values[name] + "\n")
	}
	return b.String()
}

// canonicalRequest is step 1 of the documents.
func canonicalRequest(r *http.Request, bucket, key string, additional []string) (string, error) {
	query, err := canonicalQuery(r.URL.RawQuery)
	if err != nil {
		return "", err
	}
	return strings.Join([]string{
		r.Method,
		canonicalURI(bucket, key),
		query,
		canonicalHeaders(r, additional),
		strings.Join(additional, ";"),
		unsignedPayload,
	}, "\n"), nil
}

// stringToSign is step 2 of the documents.
func stringToSign(timestamp, date, region, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return strings.Join([]string{
		algorithm,
		timestamp,
		date + "/" + region + "/" + service + "/" + scopeSuffix,
		hex.EncodeToString(sum[:]),
	}, "\n")
}

// signingKey is step 3a of the documents.
func signingKey(secret, date, region string) []byte {
	key := []byte("aliyun_v4" + secret)
	for _, data := range []string{date, region, service, scopeSuffix} {
		key = hmacSHA256(key, data)
	}
	return key
}

// signature is step 3b of the documents.
func signature(key []byte, toSign string) string {
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

func hmacSHA256(key []byte, data string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(data))
	return mac.Sum(nil)
}
