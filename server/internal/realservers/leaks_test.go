package realservers

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

var held = regexp.MustCompile(`(?m)^(go_goroutines|process_open_fds) (\d+)$`)

// TestNothingIsHeld has clients leave a server in the middle of all kinds of requests: when they have
// gone, no goroutine waits for them, and no file is open.
func TestNothingIsHeld(t *testing.T) {
	t.Parallel()
	storage, address, metrics := folderStorage(t.TempDir()), registrytest.FreeAddress(t), registrytest.FreeAddress(t)
	layer := registrytest.Layer(1, 20<<20)
	open := serve(t, configFile(t, "open", config(address, storage)), address)
	open.Push(t, "team/app", "1", layer)
	open.kill()
	blob := "/v2/team/app/blobs/" + digest.FromBytes(layer).String()

	users := configFile(t, "users", userLine(t, userName))
	file := configFile(t, "server", strings.Replace(config(address, storage, "cache: {blobdescriptor: inmemory}"), "http: {",
		fmt.Sprintf("server: {ui: {enabled: true}, audit: {folder: %q, reads: true}}\nauth: {htpasswd: {realm: test, path: %q}}\nhttp: {debug: {addr: %q, prometheus: {enabled: true, path: /metrics}}, ",
			t.TempDir(), users, metrics), 1))
	serveProcess(t, exec.Command(binary, "serve", file), address)

	holds := func() (counts [2]int) {
		response, err := http.Get("http://" + metrics + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		found := held.FindAllSubmatch(text, -1)
		if err != nil || len(found) != 2 {
			t.Fatalf("%v: %s", err, text)
		}
		for i, each := range found {
			counts[i], _ = strconv.Atoi(string(each[2]))
		}
		return counts
	}
	// ends waits until there are as many as before, except for a few that others may have: the health check, this request.
	ends := func(t *testing.T, before [2]int, few int) {
		t.Helper()
		poll.Within(t, 2*time.Minute, "end of what was begun", func() bool {
			after := holds()
			return after[0] < before[0]+few && after[1] < before[1]+few
		})
	}
	auth := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(userName+":"+userPassword)) + "\r\n"
	for name, each := range map[string]struct {
		request string
		// read is how many bytes of the answer are awaited before the client goes.
		read int
	}{
		"no request":                {"", 0},
		"half a line":               {"GET /v2/ HT", 0},
		"half a header":             {"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthoriz", 0},
		"a request without login":   {"GET /v2/ HTTP/1.1\r\nHost: x\r\n\r\n", 1},
		"a wrong password":          {"GET /v2/ HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dXNlcjp3cm9uZw==\r\n\r\n", 1},
		"a body without login":      {"PUT /v2/team/app/manifests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", 1},
		"half a form":               {"POST /ui/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nname=", 0},
		"half a manifest":           {"PUT /v2/team/app/manifests/1 HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: 1000\r\n\r\n{", 0},
		"a begun upload":            {"POST /v2/team/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 0\r\n\r\n", 1},
		"half an upload":            {"POST /v2/team/app/blobs/uploads/?digest=" + digest.FromString("x").String() + " HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 1000000\r\n\r\nx", 0},
		"the beginning of a layer":  {"GET " + blob + " HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", 1000},
		"a layer that is not read":  {"GET " + blob + " HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", 0},
		"a mount of nothing":        {"POST /v2/team/other/blobs/uploads/?from=team/app&mount=" + digest.FromString("x").String() + " HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 0\r\n\r\n", 1},
		"a question that goes on":   {"HEAD " + blob + " HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", 1},
		"a deletion of nothing":     {"DELETE /v2/team/app/manifests/none HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", 1},
		"a list":                    {"GET /v2/_catalog?n=1 HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n", 1},
		"a page":                    {"GET /ui/ HTTP/1.1\r\nHost: x\r\n\r\n", 1},
		"what a proxy would do":     {"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n", 1},
		"another protocol":          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
		"a chunk without an end":    {"PATCH /v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286 HTTP/1.1\r\nHost: x\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 0},
		"an upload without a state": {"PUT /v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286?digest=x HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 10\r\n\r\nx", 0},
	} {
		t.Run(name, func(t *testing.T) {
			leave(t, address, each.request, each.read)
			http.DefaultClient.CloseIdleConnections()
			before := holds()
			var group sync.WaitGroup
			for range 40 {
				group.Go(func() { leave(t, address, each.request, each.read) })
			}
			group.Wait()
			ends(t, before, 20)
		})
	}
	t.Run("a collection", func(t *testing.T) {
		before := holds()
		for i := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(10*i)*time.Millisecond)
			_ = exec.CommandContext(ctx, binary, "garbage-collect", file).Run()
			cancel()
		}
		ends(t, before, 10)
	})
}

// leave sends something, reads a part of the answer, and closes the connection.
func leave(t *testing.T, address, request string, read int) {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, request); err != nil {
		t.Error(err)
		return
	}
	_ = connection.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadFull(connection, make([]byte, read)); err != nil {
		t.Error(err)
	}
}
