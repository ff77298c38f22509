package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/enginestore"
)

// refusal is a response of the upstream that is not about the image. The engine would take it for an image that
// the upstream lacks, or for a fault of its own.
type refusal struct {
	code errcode.ErrorCode
	// text is for clients and the log. kind is its beginning, before the upstream's own words.
	kind, text string
	retryAfter string
}

// Error makes a refusal the error of a request that the mirror did not send, or of a response that it did not
// read to its end.
func (r *refusal) Error() string { return r.text }

// ofLogin says whether another way to log in may help.
func (r *refusal) ofLogin() bool {
	return r.code == errcode.ErrorCodeUnauthorized || r.code == errcode.ErrorCodeDenied || r.kind == noToken || r.kind == unreached
}

// reword replaces what comes before the upstream's own words with kind and more.
func (r *refusal) reword(kind, more string) {
	r.text = kind + more + strings.TrimPrefix(r.text, r.kind)
	r.kind = kind
}

// refusals map statuses of the upstream to what clients are told.
var refusals = map[int]struct {
	code errcode.ErrorCode
	text string
}{
	http.StatusUnauthorized:    {errcode.ErrorCodeUnauthorized, "the upstream refused the mirror's login"},
	http.StatusForbidden:       {errcode.ErrorCodeDenied, "the upstream denied access to the mirror's login"},
	http.StatusTooManyRequests: {errcode.ErrorCodeTooManyRequests, "the upstream's limit of pulls is reached"},
}

// mostWords is the number of bytes that are read of an error's body.
const mostWords = 4 << 10

// isRefused says whether an answer is not about the image.
func isRefused(response *http.Response) bool {
	_, ok := refusals[response.StatusCode]
	return ok || response.StatusCode >= http.StatusInternalServerError
}

// asRefusal makes a refusal of a response, whatever its status. It leaves the body whole.
func asRefusal(response *http.Response) *refusal {
	known, ok := refusals[response.StatusCode]
	if !ok {
		known.code, known.text = errcode.ErrorCodeUnavailable, "the upstream failed"
	}
	text := fmt.Sprintf("%s: %s", known.text, response.Status)
	if words := wordsOf(peek(response, mostWords)); words != "" {
		text += ": " + words
	}
	return &refusal{known.code, known.text, text, response.Header.Get("Retry-After")}
}

// peek returns the beginning of a response's body, and leaves the body whole.
func peek(response *http.Response, most int64) []byte {
	beginning, err := io.ReadAll(io.LimitReader(response.Body, most))
	rest := io.Reader(response.Body)
	if err != nil {
		rest = failed{err}
	}
	response.Body = changed{io.MultiReader(bytes.NewReader(beginning), rest), response.Body}
	return beginning
}

// changed is a body that is read through another reader.
type changed struct {
	io.Reader
	io.Closer
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// words are the fields of an error's body, as in the distribution specification or from a token server.
type words struct {
	Errors           []word
	Details, Message string
}

type word struct{ Code, Message string }

// lacks are the error codes by which registries say that they have no such tag. The last one is Harbor's.
var lacks = []string{"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"}

// gone is for a tag that is still cached.
var gone = &refusal{code: errcode.ErrorCodeManifestUnknown, text: "the upstream has no such tag any more"}

// isGone says whether the upstream has no such tag. The response has to use a registry's error code: an error
// page of a proxy in front of the upstream says nothing about tags.
func isGone(r *http.Request, response *http.Response) bool {
	first := began(r).URL.Path
	if r.Method != http.MethodGet || response.StatusCode != http.StatusNotFound || kindOf(first) != "manifests" || !isTag(first) {
		return false
	}
	var told words
	return json.Unmarshal(peek(response, mostWords), &told) == nil && slices.ContainsFunc(told.Errors, func(each word) bool {
		return slices.Contains(lacks, each.Code)
	})
}

// wordsOf is what an error's body says.
func wordsOf(body []byte) string {
	var told words
	_ = json.Unmarshal(body, &told)
	for _, each := range told.Errors {
		return strings.TrimPrefix(strings.ToLower(each.Code)+": "+each.Message, ": ")
	}
	for _, words := range []string{told.Details, told.Message} {
		if words != "" {
			return words
		}
	}
	const most = 200
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "")), " ")
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// heard is what the upstream answered last for one request of a client.
type heard struct {
	// method and kind are those of the client's request. paged is whether that request limits the number of
	// results.
	method, kind string
	paged        bool

	asked bool
	// missing is whether the last response was that there is nothing at that address.
	missing bool
	// fetched is whether the content of a manifest or a blob was requested. The questions that the engine asks
	// about every tag do not count.
	fetched bool
	// tags counts the bytes that were sent of a list of tags.
	tags    int64
	refusal *refusal
	// gone is whether the upstream said that it has no such tag.
	gone bool
	// named is the manifest that the tag is said to name, and read the one that the upstream sent for it.
	named, read digest.Digest
	// stored is what the store has to know about the manifest that is fetched.
	stored enginestore.Push
}

type heardKey struct{}

func newHeard(client *http.Request) *heard {
	return &heard{method: client.Method, kind: kindOf(client.URL.Path), paged: client.URL.Query().Has("n")}
}

// heardOf returns a value that nobody reads if the engine acts by itself.
func heardOf(ctx context.Context) *heard {
	if h, ok := ctx.Value(heardKey{}).(*heard); ok {
		return h
	}
	return &heard{}
}

// reads says whether the client asks for something that the upstream may have.
func (h *heard) reads() bool {
	return (h.method == http.MethodGet || h.method == http.MethodHead) && slices.Contains(kinds, h.kind)
}

// Handler gives clients the upstream's reason where the engine would hide it, and calls tell for each pull.
func (u *Upstream) Handler(engine http.Handler, prefix string, tell func(Pull)) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := newHeard(r)
		r = r.WithContext(context.WithValue(enginestore.Storing(r.Context(), &h.stored), heardKey{}, h))
		t := &teller{ResponseWriter: w, upstream: u, heard: h}
		engine.ServeHTTP(t, r)
		// This is noted even if the image was served, because there may be a newer one.
		u.noteRefusal(h.refusal)
		if pull, ok := pullOf(router, r, w.Header(), h); ok && t.status < http.StatusBadRequest && !t.told {
			tell(pull)
		}
	})
}

// teller responds with the upstream's refusal in place of the engine's error, or in place of what is cached.
type teller struct {
	http.ResponseWriter
	upstream *Upstream
	heard    *heard
	told     bool
	// status is the one that the engine set. It is 0 until then, and stays 0 if the engine leaves it at 200.
	status int
}

func (t *teller) WriteHeader(status int) {
	t.status = status
	refusal := t.refusal(status)
	if refusal == nil {
		t.ResponseWriter.WriteHeader(status)
		return
	}
	t.told = true
	header := t.Header()
	// The engine set these before it was refused the rest.
	for _, name := range []string{"Content-Length", "Docker-Content-Digest", "Etag"} {
		header.Del(name)
	}
	if refusal.retryAfter != "" {
		header.Set("Retry-After", refusal.retryAfter)
	}
	_ = errcode.ServeJSON(t.ResponseWriter, refusal.code.WithMessage(refusal.text))
}

func (t *teller) refusal(status int) *refusal {
	missing := status == http.StatusNotFound || status >= http.StatusInternalServerError
	if t.heard.gone && t.heard.kind == "manifests" && status != http.StatusNotFound {
		return gone
	}
	if status < http.StatusBadRequest {
		return nil
	}
	if missing && !t.heard.asked && t.heard.reads() && t.upstream.isAway(t.upstream.host) {
		// The engine got no further than the question how to log in.
		return unreachable
	}
	return t.heard.refusal
}

func (t *teller) Write(p []byte) (int, error) {
	if t.told {
		return len(p), nil
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (t *teller) Unwrap() http.ResponseWriter { return t.ResponseWriter }
