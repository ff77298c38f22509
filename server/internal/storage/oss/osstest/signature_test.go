package osstest

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/signer"
)

// The example of the vendor's page "Include a V4 signature in the Authorization
// header" (help.aliyun.com, developer-reference/recommend-to-use-signature-version-4).
// The page hides the secret behind "yourAccessKeySecret", which does not derive
// the signing key it prints, so the last step starts from the printed key.
const (
	publishedCanonicalRequest = `PUT
/examplebucket/exampleobject

content-disposition:attachment
content-length:3
content-md5:ICy5YqxZB1uWSwcVLSNLcA==
content-type:text/plain
x-oss-content-sha256:UNSIGNED-PAYLOAD
x-oss-date:20250411T064124Z

content-disposition;content-length
UNSIGNED-PAYLOAD`
	publishedStringToSign = `OSS4-HMAC-SHA256
20250411T064124Z
20250411/cn-hangzhou/oss/aliyun_v4_request
c46d96390bdbc2d739ac9363293ae9d710b14e48081fcb22cd8ad54b63136eca`
	publishedSigningKey = "3543b7686e65eda71e5e5ca19d548d78423c37e8ddba4dc9d83f90228b457c76"
	publishedSignature  = "053edbf550ebd239b32a9cdfd93b0b2b3f2d223083aa61f75e9ac16856d61f23"
)

func publishedRequest(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject", strings.NewReader("123"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Disposition", "attachment")
	r.Header.Set("Content-Length", "3")
	r.Header.Set("Content-MD5", "ICy5YqxZB1uWSwcVLSNLcA==")
	r.Header.Set("Content-Type", "text/plain")
	r.Header.Set("x-oss-content-sha256", unsignedPayload)
	r.Header.Set("x-oss-date", "20250411T064124Z")
	return r
}

func TestPublishedExample(t *testing.T) {
	canonical, err := canonicalRequest(publishedRequest(t), "examplebucket", "exampleobject",
		[]string{"content-disposition", "content-length"})
	if err != nil {
		t.Fatal(err)
	}
	if canonical != publishedCanonicalRequest {
		t.Errorf("canonical request:\n%s\nwant:\n%s", canonical, publishedCanonicalRequest)
	}
	toSign := stringToSign("20250411T064124Z", "20250411", "cn-hangzhou", canonical)
	if toSign != publishedStringToSign {
		t.Errorf("string to sign:\n%s\nwant:\n%s", toSign, publishedStringToSign)
	}
	key, err := hex.DecodeString(publishedSigningKey)
	if err != nil {
		t.Fatal(err)
	}
	if got := signature(key, toSign); got != publishedSignature {
		t.Errorf("signature %s, want %s", got, publishedSignature)
	}
}

// The SDK must come to the same string to sign for the published example.
func TestPublishedExampleThroughSDK(t *testing.T) {
	at, err := time.Parse(timeFormat, "20250411T064124Z")
	if err != nil {
		t.Fatal(err)
	}
	ctx := &signer.SigningContext{
		Product:           ptr("oss"),
		Region:            ptr("cn-hangzhou"),
		Bucket:            ptr("examplebucket"),
		Key:               ptr("exampleobject"),
		Request:           publishedRequest(t),
		Credentials:       &credentials.Credentials{AccessKeyID: "LTAI", AccessKeySecret: "yourAccessKeySecret"},
		AdditionalHeaders: []string{"content-disposition", "content-length"},
		Time:              at,
	}
	if err := (&signer.SignerV4{}).Sign(context.Background(), ctx); err != nil {
		t.Fatal(err)
	}
	if ctx.StringToSign != publishedStringToSign {
		t.Errorf("the SDK's string to sign:\n%s\nwant:\n%s", ctx.StringToSign, publishedStringToSign)
	}
}

func ptr[T any](v T) *T { return &v }

// vector is a complete example with a known secret ("sk"), published by the
// vendor in the tests of its SDKs. expires is set for presigned URLs.
type vector struct {
	name       string
	seconds    int64
	expires    int64
	token      string
	additional []string
	signature  string
}

func vectors() []vector {
	return []vector{
		{name: "header", seconds: 1702743657, signature: "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"},
		{name: "header with token", seconds: 1702784856, token: "token", signature: "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea"},
		{name: "header with additional headers", seconds: 1702747512, additional: []string{"abc", "zabc"}, signature: "4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f"},
		{name: "query", seconds: 1702781677, expires: 599, signature: "a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe"},
		{name: "query with token", seconds: 1702785388, expires: 599, token: "token", signature: "3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5"},
		{name: "query with additional headers", seconds: 1702783809, expires: 599, additional: []string{"abc", "zabc"}, signature: "6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7"},
	}
}

const (
	vectorBucket = "bucket"
	vectorKey    = "1234+-/123/1.txt"
	vectorRegion = "cn-hangzhou"
)

// unsigned is the request of the vectors before it is signed.
func (v vector) unsigned(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodPut, "http://bucket.oss-cn-hangzhou.aliyuncs.com/1234%2B-/123/1.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.RawQuery = url.Values{
		"param1": {"value1"}, "+param1": {"value3"}, "|param1": {"value4"},
		"+param2": {""}, "|param2": {""}, "param2": {""},
	}.Encode()
	r.Header = http.Header{
		"X-Oss-Head1": {"value"}, "Abc": {"value"}, "Zabc": {"value"}, "Xyz": {"value"}, "Content-Type": {"text/plain"},
	}
	if v.expires > 0 {
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	return r
}

// signed is the request with the published signature, as a client would send it.
func (v vector) signed(t *testing.T) *http.Request {
	t.Helper()
	r := v.unsigned(t)
	timestamp := time.Unix(v.seconds, 0).UTC().Format(timeFormat)
	credential := "ak/" + timestamp[:8] + "/" + vectorRegion + "/oss/aliyun_v4_request"
	if v.expires == 0 {
		r.Header.Set("x-oss-date", timestamp)
		r.Header.Set("x-oss-content-sha256", unsignedPayload)
		if v.token != "" {
			r.Header.Set("x-oss-security-token", v.token)
		}
		header := algorithm + " Credential=" + credential
		if len(v.additional) > 0 {
			header += ",AdditionalHeaders=" + strings.Join(v.additional, ";")
		}
		r.Header.Set("Authorization", header+",Signature="+v.signature)
		return r
	}
	q := r.URL.Query()
	q.Set("x-oss-signature-version", algorithm)
	q.Set("x-oss-date", timestamp)
	q.Set("x-oss-expires", "599")
	q.Set("x-oss-credential", credential)
	q.Set("x-oss-signature", v.signature)
	if v.token != "" {
		q.Set("x-oss-security-token", v.token)
	}
	if len(v.additional) > 0 {
		q.Set("x-oss-additional-headers", strings.Join(v.additional, ";"))
	}
	r.URL.RawQuery = q.Encode()
	return r
}

func (v vector) authenticator(now time.Time) authenticator {
	return authenticator{
		credentials: []Credential{{AccessKeyID: "ak", AccessKeySecret: "sk", SecurityToken: v.token}},
		region:      vectorRegion,
		now:         func() time.Time { return now },
	}
}

func TestVectorsAreAccepted(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.name, func(t *testing.T) {
			if err := v.authenticator(time.Unix(v.seconds, 0)).check(v.signed(t), vectorBucket, vectorKey); err != nil {
				t.Errorf("the published signature was refused: %v", err)
			}
		})
	}
}

// The SDK's signer must reproduce the header vectors too. It has no way in to
// fix the date of a presigned URL; those are covered by TestSDKSignsForTheVerifier.
func TestVectorsThroughSDK(t *testing.T) {
	for _, v := range vectors() {
		if v.expires > 0 {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			r := v.unsigned(t)
			sign(t, r, v, time.Unix(v.seconds, 0))
			if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, ",Signature="+v.signature) {
				t.Errorf("the SDK's signature: %s, want %s", got, v.signature)
			}
		})
	}
}

// The SDK signs now, in the header or the query, and the verifier agrees.
func TestSDKSignsForTheVerifier(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.name, func(t *testing.T) {
			r := v.unsigned(t)
			now := time.Now()
			at := now
			if v.expires > 0 {
				at = now.Add(time.Duration(v.expires) * time.Second)
			}
			sign(t, r, v, at)
			if err := v.authenticator(now).check(r, vectorBucket, vectorKey); err != nil {
				t.Errorf("the SDK's signature was refused: %v", err)
			}
		})
	}
}

// sign lets the SDK sign r. For presigned URLs at is when the URL expires.
func sign(t *testing.T, r *http.Request, v vector, at time.Time) {
	t.Helper()
	ctx := &signer.SigningContext{
		Product: ptr("oss"), Region: ptr(vectorRegion), Bucket: ptr(vectorBucket), Key: ptr(vectorKey), Request: r,
		Credentials:       &credentials.Credentials{AccessKeyID: "ak", AccessKeySecret: "sk", SecurityToken: v.token},
		AdditionalHeaders: v.additional,
		AuthMethodQuery:   v.expires > 0,
		Time:              at,
	}
	if err := (&signer.SignerV4{}).Sign(context.Background(), ctx); err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	header, query := vectors()[0], vectors()[3]
	for _, test := range []struct {
		name   string
		vector vector
		late   time.Duration
		change func(r *http.Request, a *authenticator)
		code   string
	}{
		{"unsigned", header, 0, func(r *http.Request, _ *authenticator) { r.Header.Del("Authorization") }, "AccessDenied"},
		{"unknown key", header, 0, func(_ *http.Request, a *authenticator) { a.credentials[0].AccessKeyID = "other" }, "InvalidAccessKeyId"},
		{"wrong secret", header, 0, func(_ *http.Request, a *authenticator) { a.credentials[0].AccessKeySecret = "other" }, "SignatureDoesNotMatch"},
		{"wrong token", header, 0, func(_ *http.Request, a *authenticator) { a.credentials[0].SecurityToken = "other" }, "InvalidSecurityToken"},
		{"wrong region", header, 0, func(_ *http.Request, a *authenticator) { a.region = "cn-beijing" }, "InvalidArgument"},
		{"changed method", header, 0, func(r *http.Request, _ *authenticator) { r.Method = http.MethodGet }, "SignatureDoesNotMatch"},
		{"changed query", header, 0, func(r *http.Request, _ *authenticator) { r.URL.RawQuery += "&more" }, "SignatureDoesNotMatch"},
		{"changed signed header", header, 0, func(r *http.Request, _ *authenticator) { r.Header.Set("X-Oss-Head1", "other") }, "SignatureDoesNotMatch"},
		{"changed unsigned header", header, 0, func(r *http.Request, _ *authenticator) { r.Header.Set("Abc", "other") }, ""},
		{"no payload hash", header, 0, func(r *http.Request, _ *authenticator) { r.Header.Del("X-Oss-Content-Sha256") }, "InvalidArgument"},
		{"Signature V1", header, 0, func(r *http.Request, _ *authenticator) { r.Header.Set("Authorization", "OSS ak:c2ln") }, "InvalidArgument"},
		{"too old", header, 16 * time.Minute, nil, "RequestTimeTooSkewed"},
		{"from the future", header, -16 * time.Minute, nil, "RequestTimeTooSkewed"},
		{"presigned and in time", query, 598 * time.Second, nil, ""},
		{"presigned and expired", query, 600 * time.Second, nil, "AccessDenied"},
		{"presigned for another object", query, 0, func(r *http.Request, _ *authenticator) { r.URL.RawQuery += "&versionId=1" }, "SignatureDoesNotMatch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := test.vector.signed(t)
			a := test.vector.authenticator(time.Unix(test.vector.seconds, 0).Add(test.late))
			if test.change != nil {
				test.change(r, &a)
			}
			err := a.check(r, vectorBucket, vectorKey)
			code := ""
			if err != nil {
				code = err.(apiError).Code
			}
			if code != test.code {
				t.Errorf("got %v, want %q", err, test.code)
			}
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	for _, test := range []struct{ raw, want string }{
		{"", ""},
		{"acl", "acl"},
		{"acl=", "acl"},
		{"prefix=somePrefix&marker=someMarker&max-keys=20", "marker=someMarker&max-keys=20&prefix=somePrefix"},
		{"a=x+y&b=x%20y", "a=x%20y&b=x%20y"},
		{"b=%2f&a=%E6%B5%8B", "a=%E6%B5%8B&b=%2F"},
		{"x-oss-signature=abc&z=1", "z=1"},
	} {
		got, err := canonicalQuery(test.raw)
		if err != nil || got != test.want {
			t.Errorf("canonicalQuery(%q) = %q, %v; want %q", test.raw, got, err, test.want)
		}
	}
}
