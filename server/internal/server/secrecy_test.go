package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"

	"github.com/distribution/distribution/v3/configuration"
)

// dumpVariable names the configuration of the server that TestMemory runs in a
// process of its own, as the test itself holds the password.
const dumpVariable = "TEST_DUMP_CONFIG"

// TestDumpServer is that process: it prints its address and dumps its heap when asked.
func TestDumpServer(t *testing.T) {
	file := os.Getenv(dumpVariable)
	if file == "" {
		t.Skip("started by TestMemory")
	}
	content, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	config, err := configuration.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	config.Log.AccessLog.Disabled = true
	s, err := New(config, own{}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Run(context.Background()) }()
	fmt.Printf("listening %s\n", s.Addr())
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		out, err := os.Create(commands.Text())
		if err != nil {
			t.Fatal(err)
		}
		// Pools release what they hold after two collections.
		for range 3 {
			runtime.GC()
		}
		debug.WriteHeapDump(out.Fd())
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("dumped")
	}
}

// TestMemory logs in and looks for the password in the memory of the server.
func TestMemory(t *testing.T) {
	for _, version := range []string{"HTTP/1.1", "HTTP/2"} {
		for _, anonymous := range []string{"", "#!anonymous pull public/*\n"} {
			t.Run(strings.TrimSpace(version+" "+anonymous), func(t *testing.T) { testMemory(t, version == "HTTP/2", anonymous) })
		}
	}
}

func testMemory(t *testing.T, http2 bool, anonymous string) {
	const user = "alice"
	password := rand.Text()
	file := htpasswd(t, user, password)
	lines, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	config, client := withTLS(t, inMemory)
	yaml := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {inmemory: {}}\nauth: {htpasswd: {realm: r, path: %q}}\nhttp: {addr: '127.0.0.1:0', tls: {certificate: %q, key: %q}}\n",
		file, config.HTTP.TLS.Certificate, config.HTTP.TLS.Key)
	configFile := filepath.Join(t.TempDir(), "config.yml")
	for name, content := range map[string]string{file: string(lines) + anonymous, configFile: yaml} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	client.Transport.(*http.Transport).Protocols = protocols

	server := exec.Command(os.Args[0], "-test.run=^TestDumpServer$")
	server.Env = append(os.Environ(), dumpVariable+"="+configFile)
	server.Stderr = os.Stderr
	commands, err := server.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		commands.Close()
		_ = server.Wait()
	}()
	answers := bufio.NewScanner(output)
	answers.Scan()
	address, ok := strings.CutPrefix(answers.Text(), "listening ")
	if !ok {
		t.Fatalf("the server says %q", answers.Text())
	}
	dump := func() []byte {
		t.Helper()
		file := filepath.Join(t.TempDir(), "heap")
		if _, err := io.WriteString(commands, file+"\n"); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || answers.Text() != "dumped" {
			t.Fatalf("the server says %q", answers.Text())
		}
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}

	paths := []string{"/v2/", "/v2/team/app/tags/list", "/v2/_catalog", "/v2/auth?scope=repository:team/app:pull"}
	for _, path := range append(paths, paths...) {
		for _, secret := range []string{"wrong " + password, password} {
			request, err := http.NewRequest(http.MethodGet, "https://"+address+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.SetBasicAuth(user, secret)
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body(t, response)
		}
	}
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	sumOfPassword, sumOfBoth := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(user+":"+password))
	traces := map[string][]byte{
		"the password":           []byte(password),
		"the header":             []byte(basic),
		"its SHA-256":            sumOfPassword[:],
		"its SHA-256 in hex":     []byte(hex.EncodeToString(sumOfPassword[:])),
		"SHA-256 of user:it":     sumOfBoth[:],
		"SHA-256 of user:it hex": []byte(hex.EncodeToString(sumOfBoth[:])),
	}
	open := dump()
	if !bytes.Contains(open, []byte(config.HTTP.TLS.Certificate)) {
		t.Fatal("the dump does not hold what must be in it")
	}
	for name, trace := range traces {
		if bytes.Contains(open, trace) {
			t.Logf("%s is in the buffers of the connection while that is open", name)
		}
	}
	var left string
	defer func() {
		if left != "" {
			t.Logf("%s is left", left)
		}
	}()
	poll.Until(t, "an end of the traces in the heap", func() bool {
		// A connection whose last stream is still being closed is not idle yet, and the server takes its time
		// to notice.
		client.CloseIdleConnections()
		closed := dump()
		left = ""
		for name, trace := range traces {
			if bytes.Contains(closed, trace) {
				left = name
			}
		}
		return left == ""
	})
}
