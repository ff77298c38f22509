package realservers

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/testpki"
)

// TestConformance runs the conformance suite of the distribution specification, including
// the requirements of its next version, against a server with TLS and users.
func TestConformance(t *testing.T) {
	suite := buildSuite(t)
	type conformance struct {
		name, store, users string
		redirects          bool
		skipped            int
	}
	tests := []conformance{
		{"folder, pulls without login", "folder", "#!anonymous pull *\n", false, 7},
		// For a range that ends before it begins, this store sends everything.
		{"S3, pulls from the store", "S3", "", true, 9},
	}
	for name := range everyStore {
		tests = append(tests, conformance{name, name, "", false, 7})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			section, google := everyStore[test.store](t)
			var options []string
			if test.redirects {
				// Requests for layers are answered by the store, which does not know the header.
				options = append(options, "OCI_API_BLOBS_DIGEST_HEADER=false")
			}
			server := serveUsers(t, section, google, test.users, test.redirects)
			report := server.run(t, suite, options...)
			t.Logf("%s: %d tests in %ss, %d failed, %d errors, %d skipped, %d disabled",
				test.name, report.Tests, report.Time, report.Failures, report.Errors, report.Skipped, report.Disabled)
			if report.Failures+report.Errors > 0 || report.Disabled > 0 || report.Tests < 976 || report.Skipped > test.skipped {
				t.Error("not everything passed")
			}
			for _, each := range report.Cases {
				if each.Status != "passed" {
					t.Logf("%s: %s: %.300s", each.Status, each.Name, each.Output)
				}
			}
		})
	}
}

func buildSuite(t *testing.T) string {
	t.Helper()
	suite := filepath.Join(t.TempDir(), "conformance")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", suite, "github.com/opencontainers/distribution-spec/conformance")
	build.Dir = filepath.Join("..", "..", "..", "offline", "toolchain", "conformance")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return suite
}

// secured is a server with TLS and one user.
type secured struct {
	address, authority, config string
	process                    *exec.Cmd
	// client trusts its certificate.
	client *http.Client
}

const userName, userPassword = "admin", "only for the test"

// userLine returns a line of a users' file.
func userLine(t *testing.T, name string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(userPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s:%s\n", name, hash)
}

// serveUsers starts a secured server; others are further lines of its users' file. With redirects, clients are sent to the store.
func serveUsers(t *testing.T, section string, google *server, others string, redirects bool) secured {
	t.Helper()
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	users := write("users", []byte(userLine(t, userName)+others))
	authority := testpki.NewAuthority(t)
	pair := write("tls.pem", authority.Valid(t, "server").Combined(authority))
	s := secured{address: registrytest.FreeAddress(t), authority: write("ca.pem", authority.PEM)}
	plain := config(s.address, section, "cache: {blobdescriptor: inmemory}")
	plain = strings.Replace(plain, fmt.Sprintf("http: {addr: %q}", s.address),
		fmt.Sprintf("http: {addr: %q, secret: of the test, tls: {certificate: %q, key: %q}}\nauth: {htpasswd: {realm: test, path: %q}}", s.address, pair, pair, users), 1)
	plain = strings.Replace(plain, "redirect: {disable: true}", fmt.Sprintf("redirect: {disable: %t}", !redirects), 1)
	s.config = write("config.yml", []byte(plain))
	process := command(t.Context(), t, google, "serve", s.config)
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup((&serving{process: process}).kill)
	s.process = process
	s.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool()}}}
	eventually(t, "answer of the server", func() bool {
		response, err := s.client.Get("https://" + s.address + "/livez")
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	})
	return s
}

// report is the part of the suite's report that is read.
type report struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Disabled int    `xml:"disabled,attr"`
	Time     string `xml:"time,attr"`
	Cases    []struct {
		Name   string `xml:"name,attr"`
		Status string `xml:"status,attr"`
		Output string `xml:"system-out"`
	} `xml:"testsuite>testcase"`
}

func (s secured) run(t *testing.T, suite string, options ...string) report {
	t.Helper()
	results := t.TempDir()
	command := exec.Command(suite)
	command.Dir = results
	command.Env = append(os.Environ(), "SSL_CERT_FILE="+s.authority, "OCI_VERSION=dev", "OCI_REGISTRY="+s.address,
		"OCI_USERNAME="+userName, "OCI_PASSWORD="+userPassword, "OCI_RESULTS_DIR="+results)
	command.Env = append(command.Env, options...)
	// The suite's exit status says whether all tests passed, and so does its report.
	output, failed := command.CombinedOutput()
	content, err := os.ReadFile(filepath.Join(results, "junit.xml"))
	if err != nil {
		t.Fatalf("%v, %v\n%s", failed, err, bytes.TrimSpace(output))
	}
	var r report
	if err := xml.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	return r
}
