package oss

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"container-registry/server/internal/storage/oss/osstest"
)

func TestCreationErrors(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  map[string]any
		fault   *osstest.Fault
		problem Problem
		message string
	}{
		{"missing bucket", map[string]any{"bucket": "another"}, nil, ProblemBucket, `bucket "another" does not exist`},
		{"unknown key", map[string]any{"accesskeyid": "nobody"}, nil, ProblemKey, "refuses the access key: InvalidAccessKeyId"},
		{"wrong secret", map[string]any{"accesskeysecret": testSecret + "x"}, nil, ProblemKey, "refuses the access key: SignatureDoesNotMatch"},
		{"wrong region", map[string]any{"region": "cn-beijing"}, nil, ProblemRegion, "is not in the region or at the endpoint configured"},
		{"no permission", nil, &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}, ProblemDenied, `may not list bucket "registry"`},
		{"something else", nil, &osstest.Fault{Status: http.StatusBadRequest, Code: "Strange"}, ProblemOther, "Strange"},
		{"always busy", nil, &osstest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}, ProblemOther, "ServiceUnavailable"},
		{"cut connection", nil, &osstest.Fault{Drop: true}, ProblemUnreachable, "cannot reach http://127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			for name, value := range test.change {
				params[name] = value
			}
			s.SetFault(func(osstest.Request) *osstest.Fault { return test.fault })
			_, err := FromParameters(t.Context(), params)
			assertProblem(t, err, test.problem, test.message)
		})
	}
}

func assertProblem(t *testing.T, err error, problem Problem, message string) {
	t.Helper()
	var check *CheckError
	if !errors.As(err, &check) || check.Problem != problem || !strings.Contains(err.Error(), message) {
		t.Fatalf("got %v, want problem %d with %q", err, problem, message)
	}
	if strings.Contains(err.Error(), testSecret) || strings.Contains(err.Error(), testKeyID) || strings.Contains(err.Error(), "\n") {
		t.Errorf("the message tells too much: %s", err)
	}
}

// A bucket asked for at an endpoint of another region: OSS names the right one.
func TestWrongEndpoint(t *testing.T) {
	_, params := startOSS(t)
	params["endpoint"] = strings.Replace(params["endpoint"].(string), "127.0.0.1", "other.localhost", 1)
	_, err := FromParameters(t.Context(), params)
	assertProblem(t, err, ProblemRegion, ", it is at 127.0.0.1")
}

func TestDeadServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, params := startOSS(t)
	params["endpoint"] = "http://" + address
	begun := time.Now()
	_, err = FromParameters(t.Context(), params)
	assertProblem(t, err, ProblemUnreachable, "cannot reach http://"+address+": dial tcp "+address+": connect: connection refused")
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s to say so", took)
	}
}

// A server that accepts and never answers must not hold the start up for long.
func TestSilentServer(t *testing.T) {
	s, params := startOSS(t)
	s.SetFault(func(osstest.Request) *osstest.Fault { return &osstest.Fault{Hold: make(chan struct{})} })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := FromParameters(ctx, params)
	assertProblem(t, err, ProblemUnreachable, "context deadline exceeded")
}

// metadata plays the instance metadata service at its address. No packet
// leaves the machine: the SDK's connections to it end here.
func metadata(t *testing.T, role string, answer map[string]string) {
	t.Helper()
	mux := http.NewServeMux()
	const path = "/latest/meta-data/ram/security-credentials/"
	if role != "" {
		mux.HandleFunc(path+"{$}", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(role)) })
		mux.HandleFunc(path+role, func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(answer) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	local, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	dialElsewhere(t, func(address string) string {
		if address != "100.100.100.200:80" {
			t.Errorf("connection to %s", address)
		}
		return local.Host
	})
}

func startOSSForRole(t *testing.T) map[string]any {
	t.Helper()
	_, address := osstest.Start(t, osstest.Config{
		Bucket: testBucket, Region: testRegion, Dir: t.TempDir(),
		Credentials: []osstest.Credential{{AccessKeyID: testKeyID, AccessKeySecret: testSecret, SecurityToken: "sts-token"}},
	})
	return map[string]any{"region": testRegion, "bucket": testBucket, "endpoint": "http://" + address}
}

func TestRAMRole(t *testing.T) {
	answer := map[string]string{
		"Code": "Success", "AccessKeyId": testKeyID, "AccessKeySecret": testSecret, "SecurityToken": "sts-token",
		"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}
	for _, configured := range []string{"", "registry-role"} {
		t.Run("ramrole="+configured, func(t *testing.T) {
			metadata(t, "registry-role", answer)
			params := startOSSForRole(t)
			if configured != "" {
				params["ramrole"] = configured
			}
			d := newTestDriver(t, params)
			if err := d.PutContent(t.Context(), "/a", []byte("x")); err != nil {
				t.Fatal(err)
			}
			d = newTestDriver(t, named(params))
			signed, err := d.RedirectURL(httptest.NewRequest(http.MethodGet, "/", nil), "/a")
			if err != nil || !strings.Contains(signed, "x-oss-security-token=sts-token") {
				t.Errorf("redirect: %s %v", signed, err)
			}
		})
	}
}

func TestNoCredentials(t *testing.T) {
	for _, test := range []struct {
		name   string
		role   string
		answer map[string]string
	}{
		{"no role on the instance", "", nil},
		{"role without a key", "r", map[string]string{"Code": "Success", "AccessKeySecret": testSecret}},
	} {
		t.Run(test.name, func(t *testing.T) {
			metadata(t, test.role, test.answer)
			_, err := FromParameters(t.Context(), startOSSForRole(t))
			assertProblem(t, err, ProblemCredentials, "no access key is configured and the instance metadata service gave no RAM role credentials")
		})
	}
}

func TestNoMetadataService(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	dialElsewhere(t, func(string) string { return address })
	_, err = FromParameters(t.Context(), startOSSForRole(t))
	assertProblem(t, err, ProblemCredentials, "connection refused")
}
