// Package realservers runs the built command against real storage servers. It installs
// and starts them with the scripts in test/support/servers; -short skips it.
package realservers

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ncw/swift/v2"

	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/storage/oss/osstest"
)

// binary is the command under test.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if testing.Short() {
		return 0
	}
	folder, err := os.MkdirTemp("", "registry-command-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "registry")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "container-registry/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// server is a storage server of one of the scripts.
type server struct {
	script, folder string
	arguments      []string
	// values are what the script prints.
	values map[string]string
}

func start(t *testing.T, script string, arguments ...string) *server {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "..", "test", "support", script))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("the scripts that start servers are not here: ", err)
	}
	s := &server{script: path, folder: filepath.Join(t.TempDir(), "server"), arguments: arguments}
	s.up(t)
	t.Cleanup(func() { s.call(t, "stop", s.folder) })
	return s
}

func (s *server) up(t *testing.T) {
	t.Helper()
	s.values = map[string]string{}
	for line := range strings.Lines(s.call(t, append([]string{"start", s.folder}, s.arguments...)...)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		s.values[name] = value
	}
}

// down ends the server and keeps its data.
func (s *server) down(t *testing.T) {
	t.Helper()
	s.call(t, "down", s.folder)
}

func (s *server) call(t *testing.T, arguments ...string) string {
	t.Helper()
	command := exec.Command(s.script, arguments...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", filepath.Base(s.script), arguments, err, stderr.String())
	}
	return stdout.String()
}

func startS3(t *testing.T) *server {
	t.Helper()
	return start(t, "servers/versitygw.sh", registrytest.FreeAddress(t), "images")
}

func startAzure(t *testing.T) *server {
	t.Helper()
	return start(t, "servers/azurite.sh", registrytest.FreeAddress(t), "images")
}

func startGoogle(t *testing.T) *server {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can answer under Google's names")
	}
	return start(t, "servers/fakegcs.sh", fmt.Sprintf("127.%d.%d.%d", 64+rand.N(64), rand.N(256), 1+rand.N(254)), "images")
}

// startSwift starts a server with the container images.
func startSwift(t *testing.T) *server {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can start a Swift")
	}
	_, port, _ := net.SplitHostPort(registrytest.FreeAddress(t))
	s := start(t, "swift-server.sh", port)
	connection := &swift.Connection{AuthUrl: s.values["authurl"], UserName: s.values["username"], ApiKey: s.values["password"]}
	if err := connection.ContainerCreate(t.Context(), "images", nil); err != nil {
		t.Fatal(err)
	}
	return s
}

// startOSS serves a double of Alibaba's OSS, for which there is no emulator.
func startOSS(t *testing.T) (endpoint string) {
	t.Helper()
	double, err := osstest.New(osstest.Config{
		Bucket: "images", Region: ossRegion, Dir: t.TempDir(),
		Credentials: []osstest.Credential{{AccessKeyID: ossKey, AccessKeySecret: ossSecret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(double)
	t.Cleanup(func() {
		listening.Close()
		double.Close()
	})
	return listening.URL
}

const ossRegion, ossKey, ossSecret = "cn-hangzhou", "the-key-of-the-test", "the-secret-of-the-test"

// everyStore has a function for each kind of store that starts one and returns its storage section.
var everyStore = map[string]func(t *testing.T) (section string, google *server){
	"folder": func(t *testing.T) (string, *server) { return folderStorage(filepath.Join(t.TempDir(), "data")), nil },
	"S3": func(t *testing.T) (string, *server) {
		s := startS3(t)
		return s3Storage("images", s.values["accesskey"], s.values["secretkey"], s.values["endpoint"]), nil
	},
	"Azure": func(t *testing.T) (string, *server) {
		s := startAzure(t)
		return azureStorage("images", s.values["accountname"], s.values["accountkey"], s.values["serviceurl"]), nil
	},
	"Google": func(t *testing.T) (string, *server) {
		s := startGoogle(t)
		return googleStorage("images", s.values["serviceaccount"]), s
	},
	"Swift": func(t *testing.T) (string, *server) {
		s := startSwift(t)
		return swiftStorage("images", s.values["username"], s.values["password"], s.values["authurl"]), nil
	},
	"OSS": func(t *testing.T) (string, *server) {
		return ossStorage("images", ossKey, ossSecret, startOSS(t)), nil
	},
}

// result is how a command ended.
type result struct {
	code           int
	stdout, stderr string
}

// registry runs the command. It sees a Google Cloud Storage server, if any, as Google.
func registry(t *testing.T, google *server, stdin string, arguments ...string) result {
	t.Helper()
	return finish(t, command(t.Context(), t, google, arguments...), stdin)
}

func finish(t *testing.T, command *exec.Cmd, stdin string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &stdout, &stderr
	var exit *exec.ExitError
	if err := command.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func command(ctx context.Context, t *testing.T, google *server, arguments ...string) *exec.Cmd {
	t.Helper()
	if google == nil {
		return exec.CommandContext(ctx, binary, arguments...)
	}
	// The server's names stand in a hosts file that only this command sees.
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost\n"+googleAddress(google)+" "+strings.ReplaceAll(google.values["hosts"], ",", " ")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := inNamespace(ctx, `mount --bind "$HOSTS" /etc/hosts`, arguments...)
	c.Env = append(os.Environ(), "HOSTS="+hosts, "SSL_CERT_FILE="+google.values["ca"])
	return c
}

func googleAddress(google *server) string { return google.arguments[0] }

// inNamespace runs the command in a mount namespace of its own.
func inNamespace(ctx context.Context, mount string, arguments ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "unshare", append([]string{"--mount", "sh", "-c", mount + ` && exec "$@"`, "sh", binary}, arguments...)...)
}

// config is a configuration with this storage section.
func config(address string, storage ...string) string {
	return fmt.Sprintf("version: 0.1\nlog: {level: error}\nhttp: {addr: %q}\nstorage:\n  %s\n  redirect: {disable: true}\n  delete: {enabled: true}\n", address, strings.Join(storage, "\n  "))
}

const readOnly = "maintenance: {readonly: {enabled: true}}"

func s3Storage(bucket, accessKey, secretKey, endpoint string) string {
	return fmt.Sprintf("s3: {bucket: %s, region: us-east-1, accesskey: %q, secretkey: %q, regionendpoint: %q, forcepathstyle: true}", bucket, accessKey, secretKey, endpoint)
}

func azureStorage(container, account, key, serviceURL string) string {
	return fmt.Sprintf("azure: {container: %s, accountname: %s, accountkey: %q, serviceurl: %q, credentials: {type: shared_key}}", container, account, key, serviceURL)
}

func googleStorage(bucket, keyFile string) string {
	return fmt.Sprintf("gcs: {bucket: %s, keyfile: %q}", bucket, keyFile)
}

func swiftStorage(container, username, password, authURL string) string {
	return fmt.Sprintf("swift: {container: %s, username: %q, password: %q, authurl: %q}", container, username, password, authURL)
}

func ossStorage(bucket, key, secret, endpoint string) string {
	return fmt.Sprintf("oss: {bucket: %s, region: %s, accesskeyid: %q, accesskeysecret: %q, endpoint: %q, secure: false}", bucket, ossRegion, key, secret, endpoint)
}

func folderStorage(folder string) string {
	return fmt.Sprintf("filesystem: {rootdirectory: %q}", folder)
}
