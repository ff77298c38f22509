package descriptors

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"container-registry/server/internal/registrytest"

	"github.com/distribution/distribution/v3"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
)

func take(t *testing.T, yaml string, out io.Writer) *Cache {
	t.Helper()
	config := registrytest.Parse(t, yaml)
	log := logrus.New()
	log.SetOutput(out)
	c, err := Take(config, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, left := config.Storage["cache"]; left {
		t.Error("the engine would make a cache of its own")
	}
	return c
}

var content = digest.FromString("a blob")

func know(t *testing.T, ctx context.Context, repository string) {
	t.Helper()
	scope, err := fromRequest{}.RepositoryScoped(repository)
	if err == nil {
		err = scope.SetDescriptor(ctx, content, v1.Descriptor{Digest: content, Size: 6, MediaType: "text/plain"})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// known says in which scopes it is.
func known(t *testing.T, ctx context.Context) string {
	t.Helper()
	var scopes []string
	for _, repository := range []string{"", "team/a", "team/b"} {
		var service distribution.BlobDescriptorService = fromRequest{}
		if repository != "" {
			var err error
			if service, err = (fromRequest{}).RepositoryScoped(repository); err != nil {
				t.Fatal(err)
			}
		}
		switch d, err := service.Stat(ctx, content); {
		case err == nil && d.Size == 6:
			scopes = append(scopes, repository)
		case !errors.Is(err, distribution.ErrBlobUnknown):
			t.Fatal(d, err)
		}
	}
	return fmt.Sprintf("%q", scopes)
}

func TestGenerations(t *testing.T) {
	caches := map[string]string{
		"inmemory": "storage: {inmemory: {}, cache: {blobdescriptor: inmemory}}",
		"redis":    "storage: {inmemory: {}, cache: {blobdescriptor: redis}}\nredis: {addrs: [%q]}",
	}
	for name, yaml := range caches {
		t.Run(name, func(t *testing.T) {
			if name == "redis" {
				yaml = fmt.Sprintf(yaml, startRedis(t))
			}
			c := take(t, yaml, io.Discard)
			const both, nowhere = `["" "team/a"]`, "[]"
			expect := func(ctx context.Context, want string) {
				t.Helper()
				if got := known(t, ctx); got != want {
					t.Errorf("known in %s, want %s", got, want)
				}
			}
			know(t, c.Pin(t.Context()), "team/a")
			expect(c.Pin(t.Context()), nowhere)

			c.Begin("1")
			first := c.Pin(t.Context())
			expect(first, nowhere)
			know(t, first, "team/a")
			expect(first, both)
			expect(c.Pin(t.Context()), both)
			expect(t.Context(), nowhere)

			c.Stop()
			expect(c.Pin(t.Context()), nowhere)
			c.Begin("2")
			second := c.Pin(t.Context())
			expect(second, nowhere)
			// A slow request of before does not tell those of now.
			know(t, first, "team/a")
			expect(second, nowhere)
			// One that waited for the end of the collection is one of now.
			c.Renew(first)
			expect(first, nowhere)

			know(t, second, "team/b")
			if scope, err := (fromRequest{}).RepositoryScoped("team/b"); err != nil || scope.Clear(second, content) != nil {
				t.Error(err)
			}
			expect(second, `[""]`)
			if err := (fromRequest{}).Clear(second, content); err != nil {
				t.Error(err)
			}
			expect(second, nowhere)

			know(t, second, "team/a")
			know(t, second, "team/b")
			doubting := c.Pin(t.Context())
			c.Doubt(doubting, "team/a", content)
			expect(doubting, nowhere)
			expect(second, `["team/b"]`)
		})
	}
}

// A Redis that is away costs one request its time, and not each of them. The log tells of it.
func TestWithoutRedis(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			connection.Close()
		}
	}()
	var log bytes.Buffer
	const password = "s3cret"
	c := take(t, fmt.Sprintf("storage: {inmemory: {}, cache: {blobdescriptor: redis}}\nredis: {addrs: [%q], password: %s}", listener.Addr(), password), &log)
	c.Begin("1")
	ctx := c.Pin(t.Context())
	if _, err := (fromRequest{}).Stat(ctx, content); err == nil || errors.Is(err, distribution.ErrBlobUnknown) {
		t.Error("the failure is not told:", err)
	}
	before := asked.Load()
	if before == 0 {
		t.Error("nothing was asked")
	}
	for range 100 {
		know(t, ctx, "team/a")
		if got := known(t, ctx); got != "[]" {
			t.Error(got)
		}
	}
	if after := asked.Load(); after > before+1 {
		t.Errorf("asked %d times while it is away", after-before)
	}
	// A deletion must not leave what other servers believe.
	if err := (fromRequest{}).Clear(ctx, content); err == nil || !strings.Contains(err.Error(), "the Redis at ") {
		t.Error("a deletion that Redis was not told of:", err)
	}

	listener.Close()
	serveRedis(t, listener.Addr().String(), "--requirepass", password)
	for deadline := time.Now().Add(30 * time.Second); known(t, ctx) == "[]"; {
		if time.Now().After(deadline) {
			t.Fatal("it is not asked again")
		}
		know(t, ctx, "team/a")
		time.Sleep(50 * time.Millisecond)
	}
	for _, want := range []string{"the Redis at " + listener.Addr().String() + " does not answer: ", "; deletions of images and layers fail until it does", listener.Addr().String() + " answers again"} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("not once %q", want)
		}
	}
	if strings.Count(log.String(), "\n") != 2 || strings.Contains(log.String(), password) {
		t.Errorf("the log is\n%s", log.String())
	}
}

// TestClientLog has Redis' client say something by itself, of a sentinel that is away.
func TestClientLog(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	c := take(t, "storage: {inmemory: {}, cache: {blobdescriptor: redis}}\nredis: {addrs: ['127.0.0.1:1'], mastername: cache}", io.Discard)
	c.Begin("1")
	if _, err := (fromRequest{}).Stat(c.Pin(t.Context()), content); err == nil {
		t.Error("it answers")
	}
	if !strings.Contains(out.String(), "redis: sentinel: ") {
		t.Errorf("it says %q", out.String())
	}
}

func TestWithoutCache(t *testing.T) {
	c := take(t, "storage: {inmemory: {}}", io.Discard)
	c.Begin("1")
	ctx := c.Pin(t.Context())
	know(t, ctx, "team/a")
	if got := known(t, ctx); got != "[]" {
		t.Error(got)
	}
}

func startRedis(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	listener.Close()
	serveRedis(t, address)
	return address
}

// serveRedis starts a Redis on a free address, and waits until it answers.
func serveRedis(t *testing.T, address string, options ...string) {
	t.Helper()
	command, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal("no Redis to test with: install redis-server (scripts/test-setup.sh does)")
	}
	_, port, _ := net.SplitHostPort(address)
	server := exec.Command(command, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}, options...)...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
