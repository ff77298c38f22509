package mirror

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/api/errcode"
)

// completed makes up for what upstreams leave out of a response although the engine needs it.
func completed(r *http.Request, response *http.Response, send sender) (*http.Response, error) {
	lacks := isSuccess(response) && response.Header.Get("Content-Length") == ""
	switch kindOf(began(r).URL.Path) {
	case "manifests":
		if lacks {
			// Without the digest the engine reads the manifest, and needs neither header.
			response.Header.Del("Docker-Content-Digest")
		}
	case "blobs":
		if r.Method == http.MethodHead && (lacks || response.StatusCode == http.StatusMethodNotAllowed) {
			_ = response.Body.Close()
			return measured(r, send)
		}
	}
	return response, nil
}

func isSuccess(response *http.Response) bool {
	return response.StatusCode >= http.StatusOK && response.StatusCode < http.StatusMultipleChoices
}

// lengthless is the refusal for a blob whose length the engine cannot tell a client.
var lengthless = &refusal{
	code: errcode.ErrorCodeUnavailable,
	kind: "the upstream does not say how long a blob is",
	text: "the upstream does not say how long a blob is",
}

// measured answers a question about a blob with the header of the response to a request for the blob.
func measured(r *http.Request, send sender) (*http.Response, error) {
	get := r.Clone(r.Context())
	get.Method = http.MethodGet
	// If content is decompressed on the way, its length is unknown.
	get.Header.Set("Accept-Encoding", "identity")
	response, err := send(get)
	if err != nil || !isSuccess(response) {
		return response, err
	}
	_ = response.Body.Close()
	if response.ContentLength < 0 {
		return nil, lengthless
	}
	response.Header.Set("Content-Length", strconv.FormatInt(response.ContentLength, 10))
	response.Body = http.NoBody
	return response, nil
}

// unkept is the refusal for a manifest of a type that the engine does not read.
func unkept(r *http.Request, response *http.Response) *refusal {
	if r.Method != http.MethodGet || kindOf(began(r).URL.Path) != "manifests" || !isSuccess(response) {
		return nil
	}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if slices.Contains(distribution.ManifestMediaTypes(), mediaType) {
		return nil
	}
	const kind = "the upstream's manifest is of a kind that a mirror can't keep"
	return &refusal{code: errcode.ErrorCodeManifestUnknown, kind: kind, text: kind + ": " + cmp.Or(mediaType, "it says none")}
}
