package output_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"container-registry/server/internal/command"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// TestMain is the server itself in processes that tests start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := command.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
			if !errors.Is(err, command.ErrLogged) {
				fmt.Fprintln(os.Stderr, err)
			}
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// process is a server whose output is read only if a test does so.
type process struct {
	*exec.Cmd
	stdout, stderr io.Reader
	ended          chan error
}

func start(t *testing.T, yaml string) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(file, []byte("version: 0.1\nstorage: {inmemory: {}}\n"+yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(os.Args[0], "serve", file), ended: make(chan error, 1)}
	var writers []*os.File
	pipe := func() (r, w *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		writers = append(writers, w)
		return r, w
	}
	p.stdout, p.Stdout = pipe()
	p.stderr, p.Stderr = pipe()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	for _, w := range writers {
		w.Close()
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

// end waits for the process to end.
func (p *process) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the server does not end")
		return nil
	}
}

// transcript is what was read.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
	done sync.WaitGroup
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *transcript) count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), text)
}

// whole is what was read until the process ended.
func (s *transcript) whole() string {
	s.done.Wait()
	return s.text.String()
}

func read(r io.Reader) *transcript {
	s := &transcript{}
	s.done.Go(func() { _, _ = io.Copy(s, r) })
	return s
}

// listens waits until the server has started.
func listens(t *testing.T, address string) {
	t.Helper()
	poll.Until(t, "start", func() bool {
		connection, err := net.Dial("tcp", address)
		if err == nil {
			connection.Close()
		}
		return err == nil
	})
}

// ask sends requests for what does not exist, each of which leaves a line in both logs.
func ask(t *testing.T, base string, requests int) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second}
	for n := range requests {
		response, err := client.Get(fmt.Sprintf("%s/v2/r%d/tags/list", base, n))
		if err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Fatalf("request %d: %s", n, response.Status)
		}
	}
}

// TestServer goes on while nobody reads its output, tells what was lost once somebody does, and ends.
func TestServer(t *testing.T) {
	address, debug := registrytest.FreeAddress(t), registrytest.FreeAddress(t)
	p := start(t, fmt.Sprintf("http: {addr: '%s', debug: {addr: '%s', prometheus: {enabled: true}}}\n", address, debug))
	listens(t, address)
	ask(t, "http://"+address, 12000)

	response, err := http.Get("http://" + debug + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	for _, stream := range []string{"stdout", "stderr"} {
		name := `registry_log_lines_lost_total{stream="` + stream + `"} `
		if _, value, ok := strings.Cut(string(content), name); err != nil || !ok || strings.HasPrefix(value, "0\n") {
			t.Errorf("no %s: %v", name, err)
		}
	}

	stdout := read(p.stdout)
	poll.Until(t, "new line", func() bool {
		ask(t, "http://"+address, 1)
		return stdout.count("GET /v2/r0/tags/list") > 1
	})
	stderr := read(p.stderr)
	for _, stream := range []string{"output", "error"} {
		poll.Until(t, "word about lines of standard "+stream, func() bool { return stderr.count("lines on standard "+stream+" were lost") == 1 })
	}
	ask(t, "http://"+address, 10)
	_ = p.Process.Signal(syscall.SIGTERM)
	if err := p.end(t); err != nil {
		t.Error(err)
	}
	if n := strings.Count(stdout.whole(), "GET /v2/r9/tags/list"); n != 2 {
		t.Errorf("the access log has a request %d times", n)
	}
	if !strings.Contains(stderr.whole(), "stopping; requests under way") {
		t.Error("the log has no end")
	}
}

// TestEndUnread stops a server while nobody reads its output.
func TestEndUnread(t *testing.T) {
	address := registrytest.FreeAddress(t)
	p := start(t, fmt.Sprintf("http: {addr: '%s'}\n", address))
	listens(t, address)
	ask(t, "http://"+address, 1000)
	_ = p.Process.Signal(syscall.SIGTERM)
	if err := p.end(t); err != nil {
		t.Error(err)
	}
}

// TestNoStart expects the reason to come out before the process ends.
func TestNoStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for format, want := range map[string]string{"text": "registry: http.addr: listen", "json": `"level":"fatal","msg":"http.addr: listen`} {
		p := start(t, fmt.Sprintf("log: {formatter: %s}\nhttp: {addr: '%s'}\n", format, taken.Addr()))
		stderr := read(p.stderr)
		if err := p.end(t); err == nil {
			t.Error("it starts")
		}
		if strings.Count(stderr.whole(), want) != 1 {
			t.Errorf("%s: no %s: %s", format, want, stderr.whole())
		}
	}
}
