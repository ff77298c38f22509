package mirror

import (
	"io"
	"net/http"
	"path"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
)

// another is the refusal for a manifest other than the one that the tag was said to name. The engine would take
// it for that one.
var another = &refusal{
	code: errcode.ErrorCodeUnavailable,
	kind: "the upstream's manifest has another digest than it said",
	text: "the upstream's manifest has another digest than it said",
}

// remember keeps what the tag named in the cache. If the upstream does not say what it names now, the engine
// tells clients the cached digest.
func (h *heard) remember(d digest.Digest) {
	if h.named == "" && d.Validate() == nil {
		h.named = d
	}
}

// settled asks for a manifest by the digest that its tag is said to name. The engine asks by the tag, which may
// have moved meanwhile.
func (h *heard) settled(r *http.Request) *http.Request {
	if r.Method != http.MethodGet || r.Response != nil || h.named == "" || kindOf(r.URL.Path) != "manifests" || !isTag(r.URL.Path) {
		return r
	}
	r = r.Clone(r.Context())
	r.URL.Path = path.Join(path.Dir(r.URL.Path), h.named.String())
	return r
}

// identify keeps the digest that the upstream says a tag names, and makes any other manifest fail at its end.
func (h *heard) identify(r *http.Request, response *http.Response) {
	asked := began(r).URL.Path
	if kindOf(asked) != "manifests" || !isSuccess(response) {
		return
	}
	wanted := &h.read
	if isTag(asked) {
		if said := digest.Digest(response.Header.Get("Docker-Content-Digest")); said.Validate() == nil {
			h.named = said
		}
	} else {
		wanted = new(digest.Digest(path.Base(asked)))
	}
	if r.Method != http.MethodGet {
		return
	}
	algorithm := digest.Canonical
	if *wanted != "" {
		algorithm = wanted.Algorithm()
	}
	body := response.Body
	response.Body = changed{&identified{body, algorithm.Digester(), digest.Canonical.Digester(), wanted, h}, body}
}

// identified fails at its end if its digest is not the wanted one. If none is wanted yet, its digest becomes
// the wanted one. The engine uses an algorithm of its own to name a manifest that it keeps, so the store is
// told the wanted digest.
type identified struct {
	io.Reader
	digester, canonical digest.Digester
	wanted              *digest.Digest
	heard               *heard
}

func (i *identified) Read(p []byte) (int, error) {
	n, err := i.Reader.Read(p)
	for _, each := range []digest.Digester{i.digester, i.canonical} {
		_, _ = each.Hash().Write(p[:n])
	}
	if err == io.EOF {
		got := i.digester.Digest()
		if *i.wanted != "" && *i.wanted != got {
			i.heard.refusal = another
			return n, another
		}
		*i.wanted = got
		i.heard.stored.Manifest, i.heard.stored.Canonical = got, i.canonical.Digest()
	}
	return n, err
}
