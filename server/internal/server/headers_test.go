package server

import (
	"bufio"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/bounds"
)

// TestLinesOfHeadersFitIntoMemory has every connection send as many lines as it may, each of which costs more
// memory than its length.
func TestLinesOfHeadersFitIntoMemory(t *testing.T) {
	const memory = 460 << 20
	limits := bounds.LimitsOf(memory, math.MaxUint64)
	// net/http reads that much more than it is told to.
	loud := costOfHeader(t, maxHeaderBytes+4<<10) * int64(limits.Loud)
	others := costOfHeader(t, bounds.MostUnasked) * int64(limits.Connections-limits.Loud)
	if loud+others > memory/2 {
		t.Errorf("%d MiB for those that are loud, %d MiB for the others", loud>>20, others>>20)
	}
}

func costOfHeader(t *testing.T, length int) int64 {
	t.Helper()
	var lines strings.Builder
	lines.WriteString("GET /v2/ HTTP/1.1\nHost: x\n")
	for i := 0; lines.Len() < length; i++ {
		fmt.Fprintf(&lines, "%c%c%c:\n", 'a'+i%26, 'a'+i/26%26, 'a'+i/26/26)
	}
	text := lines.String() + "\n"
	var requests [50]*http.Request
	before := heap()
	for i := range requests {
		var err error
		if requests[i], err = http.ReadRequest(bufio.NewReader(strings.NewReader(text))); err != nil {
			t.Fatal(err)
		}
	}
	cost := heap() - before
	runtime.KeepAlive(requests)
	return cost / int64(len(requests))
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// TestHeaderOfPushWithManyTags has as many and as long tags as the engine accepts. Their header is not too long
// for a client with a wrong login to be told so.
func TestHeaderOfPushWithManyTags(t *testing.T) {
	config, client := withTLS(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+htpasswd(t, "alice", "wonder")+"}}\n")
	trusting := client.Transport.(*http.Transport).TLSClientConfig.Clone()
	i := start(t, config, client)
	const content = `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[]}`
	tags := url.Values{}
	for n := range 100 {
		tags.Add("tag", fmt.Sprintf("%0128d", n))
	}
	path := "/v2/" + strings.Repeat("a/", 120) + "a/manifests/" + digest.FromString(content).String() + "?" + tags.Encode()
	for _, http2 := range []bool{false, true} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!http2)
		protocols.SetHTTP2(http2)
		transport := &http.Transport{TLSClientConfig: trusting.Clone(), Protocols: protocols}
		defer transport.CloseIdleConnections()
		request, err := http.NewRequest(http.MethodPut, i.base+path, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
		request.SetBasicAuth(strings.Repeat("u", 255), strings.Repeat("p", 72))
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized || response.ProtoAtLeast(2, 0) != http2 {
			t.Errorf("%s: %s", response.Proto, response.Status)
		}
	}
}
