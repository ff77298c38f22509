package oss

import (
	"maps"
	"net/url"
	"strings"
	"testing"
)

func minimal(extra ...map[string]any) map[string]any {
	params := map[string]any{"region": "cn-hangzhou", "bucket": "registry"}
	for _, e := range extra {
		maps.Copy(params, e)
	}
	return params
}

func TestParameterDefaults(t *testing.T) {
	got, err := parseParameters(minimal())
	if err != nil {
		t.Fatal(err)
	}
	want := parameters{
		Options: Options{Region: "cn-hangzhou", Bucket: "registry", ChunkSize: 10 << 20, CopyThreshold: 256 << 20},
		secure:  true,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestParameters(t *testing.T) {
	got, err := parseParameters(map[string]any{
		"accesskeyid": "id", "accesskeysecret": " secret\n", "region": "oss-cn-beijing", "bucket": "b-1",
		"endpoint": "127.0.0.1:9000", "secure": false, "encrypt": true, "encryptionkeyid": "key",
		"chunksize": 102400, "multipartcopythresholdsize": 1 << 30, "rootdirectory": "/a/b/", "useragent": "x/1",
		"ramrole": nil, "internal": nil, "accelerate": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	endpoint := got.endpoint
	got.endpoint, got.Secure = nil, nil
	want := parameters{Options: Options{
		AccessKeyID: "id", AccessKeySecret: "secret", Region: "cn-beijing", Bucket: "b-1", Endpoint: "127.0.0.1:9000",
		Encrypt: true, EncryptionKeyID: "key", ChunkSize: 102400, CopyThreshold: 1 << 30, RootDirectory: "a/b", UserAgent: "x/1",
	}}
	if got != want || endpoint.String() != "http://127.0.0.1:9000" {
		t.Errorf("got %+v %v\nwant %+v", got, endpoint, want)
	}
}

func TestParameterErrors(t *testing.T) {
	const secret = "s3cr3t"
	for _, test := range []struct {
		name  string
		extra map[string]any
		want  string // in the message
	}{
		{"unknown", map[string]any{"regionendpoint": "x"}, `regionendpoint is not an option of this driver`},
		{"wrong case", map[string]any{"chunkSize": 1 << 20}, `chunkSize is not an option of this driver`},
		{"no region", map[string]any{"region": nil}, `region is required`},
		{"empty region", map[string]any{"region": ""}, `region is required`},
		{"odd region", map[string]any{"region": "cn/hangzhou"}, `region must be a region ID`},
		{"no bucket", map[string]any{"bucket": nil}, `bucket is required`},
		{"odd bucket", map[string]any{"bucket": "Registry_1"}, `bucket must be 3 to 63`},
		{"number for a string", map[string]any{"bucket": 123}, `bucket must be a string: put its value in quotes`},
		{"secret of the wrong type", map[string]any{"accesskeyid": "id", "accesskeysecret": []string{secret}}, `accesskeysecret must be a string`},
		{"key without secret", map[string]any{"accesskeyid": "id"}, `accesskeyid and accesskeysecret go together`},
		{"secret without key", map[string]any{"accesskeysecret": secret}, `accesskeyid and accesskeysecret go together`},
		{"role and key", map[string]any{"accesskeyid": "id", "accesskeysecret": secret, "ramrole": "r"}, `ramrole cannot be combined`},
		{"word for a flag", map[string]any{"encrypt": "yes"}, `encrypt must be true or false`},
		{"number for a flag", map[string]any{"secure": 1}, `secure must be true or false`},
		{"small chunk", map[string]any{"chunksize": 102399}, `chunksize must be between 102400 and`},
		{"huge chunk", map[string]any{"chunksize": int64(2) << 30}, `chunksize must be between`},
		{"chunk with unit", map[string]any{"chunksize": "10MiB"}, `chunksize must be a whole number`},
		{"fractional chunk", map[string]any{"chunksize": 1e7}, `chunksize must be a whole number`},
		{"huge copy threshold", map[string]any{"multipartcopythresholdsize": int64(1)<<30 + 1}, `multipartcopythresholdsize must be`},
		{"key ID alone", map[string]any{"encryptionkeyid": "k"}, `encryptionkeyid needs encrypt`},
		{"internal and accelerate", map[string]any{"internal": true, "accelerate": true}, `internal cannot be combined`},
		{"endpoint and internal", map[string]any{"endpoint": "x.example", "internal": true}, `endpoint cannot be combined`},
		{"endpoint with path", map[string]any{"endpoint": "https://x.example/path"}, `endpoint must hold nothing but`},
		{"endpoint with password", map[string]any{"endpoint": "https://u:" + secret + "@x.example"}, `endpoint must hold nothing but`},
		{"unreadable endpoint", map[string]any{"endpoint": "https://u:" + secret + "@x example"}, `endpoint must be host[:port]`},
		{"endpoint of another scheme", map[string]any{"endpoint": "ftp://x.example"}, `endpoint must be host[:port]`},
		{"endpoint against secure", map[string]any{"endpoint": "http://x.example", "secure": true}, `endpoint contradicts secure`},
		{"IPv6 endpoint", map[string]any{"endpoint": "http://[::1]:9000"}, `endpoint must not be an IPv6 address`},
		{"root directory with blanks", map[string]any{"rootdirectory": "a b"}, `rootdirectory must be a path`},
		{"root directory with empty part", map[string]any{"rootdirectory": "a//b"}, `rootdirectory must be a path`},
		{"long root directory", map[string]any{"rootdirectory": strings.Repeat("a", 257)}, `rootdirectory must be a path`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseParameters(minimal(test.extra))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the message tells a secret: %v", err)
			}
		})
	}
}

func TestAllParameterErrorsAtOnce(t *testing.T) {
	_, err := parseParameters(map[string]any{"chunksize": 1, "zone": "a", "internal": "maybe"})
	for _, name := range []string{"chunksize", "zone", "internal", "region", "bucket"} {
		if err == nil || !strings.Contains(err.Error(), "storage.oss: "+name+" ") {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

func TestParsingLeavesTheMapAlone(t *testing.T) {
	params := minimal()
	if _, err := parseParameters(params); err != nil || len(params) != 2 {
		t.Errorf("%v %v", params, err)
	}
}

func TestEndpoints(t *testing.T) {
	for _, test := range []struct {
		extra         map[string]any
		api, redirect string
	}{
		{nil, "https://oss-cn-hangzhou.aliyuncs.com", "https://oss-cn-hangzhou.aliyuncs.com"},
		{map[string]any{"secure": false}, "http://oss-cn-hangzhou.aliyuncs.com", "http://oss-cn-hangzhou.aliyuncs.com"},
		{map[string]any{"internal": true}, "https://oss-cn-hangzhou-internal.aliyuncs.com", "https://oss-cn-hangzhou.aliyuncs.com"},
		{map[string]any{"accelerate": true}, "https://oss-accelerate.aliyuncs.com", "https://oss-accelerate.aliyuncs.com"},
		{map[string]any{"endpoint": "oss.example:8443"}, "https://oss.example:8443", "https://oss.example:8443"},
		{map[string]any{"endpoint": "https://oss.example/"}, "https://oss.example", "https://oss.example"},
		{map[string]any{"endpoint": "registry.oss.example"}, "https://oss.example", "https://oss.example"},
		{map[string]any{"endpoint": "oss.example", "secure": false}, "http://oss.example", "http://oss.example"},
		{map[string]any{"endpoint": "http://127.0.0.1:9000"}, "http://127.0.0.1:9000", ""},
	} {
		p, err := parseParameters(minimal(test.extra))
		if err != nil {
			t.Errorf("%v: %v", test.extra, err)
			continue
		}
		if got := text(p.apiEndpoint()); got != test.api {
			t.Errorf("%v: endpoint %s, want %s", test.extra, got, test.api)
		}
		if got := text(p.redirectEndpoint()); got != test.redirect {
			t.Errorf("%v: redirects to %s, want %s", test.extra, got, test.redirect)
		}
	}
}

func text(u *url.URL) string {
	if u == nil {
		return ""
	}
	return u.String()
}
