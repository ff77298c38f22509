package command

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "config.yml")
	content := "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + t.TempDir() + "}}\nhttp: {addr: '127.0.0.1:1'}\n"
	if err := os.WriteFile(empty, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	mirrored := filepath.Join(t.TempDir(), "mirror.yml")
	content = strings.Replace(content, "}}", "}, delete: {enabled: true}}", 1) + "proxy: {remoteurl: 'https://registry-1.docker.io', ttl: 168h}\n"
	if err := os.WriteFile(mirrored, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(t.TempDir(), "large.yml")
	content = "version: 0.1\nlog: {level: error}\nstorage: {s3: {bucket: images, region: eu-central-1, regionendpoint: 'http://127.0.0.1:1', chunksize: 5368709120}}\nhttp: {addr: '127.0.0.1:1'}\n"
	if err := os.WriteFile(large, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.yml")
	content = strings.Replace(content, ", chunksize: 5368709120", "", 1)
	if err := os.WriteFile(elsewhere, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	content = strings.Replace(content, "}}", "}, maintenance: {garbagecollection: {schedule: '0 3 * * *', timezone: Asia/KOLKATA}}}", 1)
	if err := os.WriteFile(bad, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name       string
		args       []string
		wantOut    string
		wantReason string // on standard error, for a wrong command line
		wantErr    string
	}{
		{"nothing", nil, "", "no command given", "wrong usage"},
		{"unknown command", []string{"server"}, "", `unknown command "server"`, "wrong usage"},
		{"help", []string{"--help"}, "Usage:", "", ""},
		{"version", []string{"version"}, "container-registry ", "", ""},
		{"no file", []string{"serve"}, "", "serve needs exactly one CONFIG, 0 given", "wrong usage"},
		{"two files", []string{"serve", "a", "b"}, "", "serve needs exactly one CONFIG, 2 given", "wrong usage"},
		{"unknown option", []string{"serve", "--port", "5"}, "", "unknown flag: --port", "wrong usage"},
		{"bad duration", []string{"healthcheck", "--watch", "5", empty}, "", `invalid argument "5" for "--watch" flag`, "wrong usage"},
		{"absent file", []string{"serve", "/nonexistent"}, "", "", "configuration: open /nonexistent"},
		{"unhealthy", []string{"healthcheck", empty}, "", "", "unhealthy: "},
		{"good store", []string{"check", "--timeout", "5s", empty}, "can be read and written", "", ""},
		{"a chunk larger than the memory", []string{"check", "--timeout", "1s", large}, "", "", "storage.s3.chunksize: 5368709120 is too much for GOMEMLIMIT"},
		{"a good file, whose store is not asked", []string{"check", "--file-only", elsewhere}, "", "", ""},
		{"a bad file", []string{"check", "--file-only", bad}, "", "", `timezone: "Asia/KOLKATA": not a time zone`},
		{"nothing on standard input", []string{"check", "-"}, "", "", "standard input: the file is empty"},
		{"no certificate", []string{"check-certificate"}, "", "", "failed to find any PEM data"},
		{"one file to transfer", []string{"transfer", "a"}, "", "transfer needs exactly one FROM_CONFIG and one TO_CONFIG, 1 given", "wrong usage"},
		{"a store to itself", []string{"transfer", empty, empty}, "", "", "name the same store"},
		{"no tags of referrers", []string{"referrers-tags", "--dry-run", empty}, "tags of referrers: 0 written", "", ""},
		{"forward to nowhere", []string{"forward", ":5000"}, "", "forward needs one ADDRESS and one TARGET", "wrong usage"},
		{"forward without a port", []string{"forward", "127.0.0.1:0", "tasks.registry"}, "", "", "forward: target: "},
		{"forward for nobody", []string{"forward", "--connections", "0", "127.0.0.1:0", "a:1"}, "", "room for a connection", "wrong usage"},
		{"forward with a header that nobody believes", []string{"forward", "--proxied", "5001", "127.0.0.1:0", "a:1"}, "", "--proxied and --key go together", "wrong usage"},
		{"a mirror behind forwarders", []string{"serve", "--proxied", ":5001", mirrored}, "", "--proxied is for a registry", "wrong usage"},
		{"no forwarder to check", []string{"forward", "--check"}, "", "", "connection refused"},
		{"trust for no address", []string{"trust", "a", "ca.crt", "/certs.d"}, "", "an ADDRESS or more", "wrong usage"},
		{"trust outside the folder", []string{"trust", "a", "ca.crt", "/certs.d", "../ssh"}, "", `"../ssh" is no name of a file`, "wrong usage"},
		{"a file to prepare", []string{"prepare", "--dry-run", empty}, "", "", "config.yml is no folder"},
		{"a folder to prepare", []string{"prepare", "--dry-run", t.TempDir()}, "", "", ""},
		{"nothing pushed, options first", []string{"garbage-collect", "-d", "-m", "-q", empty}, "", "", ""},
		{"nothing pushed, options last", []string{"garbage-collect", empty, "--dry-run", "--delete-untagged", "--quiet"}, "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := Run(context.Background(), test.args, strings.NewReader(""), &stdout, &stderr)
			if !strings.Contains(stdout.String(), test.wantOut) || !strings.Contains(stderr.String(), test.wantReason) {
				t.Errorf("printed %q and %q", stdout.String(), stderr.String())
			}
			if test.wantErr == "" && err != nil || test.wantErr != "" && (err == nil || !strings.Contains(err.Error(), test.wantErr)) {
				t.Errorf("got %v, want %q", err, test.wantErr)
			}
			if misused := test.wantReason != ""; errors.Is(err, ErrUsage) != misused {
				t.Errorf("wrong usage is %v, got %v", misused, err)
			}
		})
	}
}
