package swift

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	ncw "github.com/ncw/swift/v2"
)

// redirectValidity is how long a client may use a URL it is sent to, as with the engine's other drivers.
const redirectValidity = 20 * time.Minute

// tempURL signs URLs which let clients fetch blobs from Swift themselves.
type tempURL struct {
	account *url.URL // as clients reach it
	key     string
	digest  func() hash.Hash
	methods []string
}

// newTempURL is nil when no key is configured.
func newTempURL(ctx context.Context, c *client, p *Options, info *cluster, container ncw.Headers) (*tempURL, error) {
	if p.SecretKey == "" && !p.TempURLContainerKey {
		return nil, nil
	}
	if info != nil && info.TempURL == nil {
		return nil, errors.New("swift: secretkey and tempurlcontainerkey need temporary URLs (the tempurl middleware), which the cluster doesn't have")
	}
	s, err := c.session(ctx)
	if err != nil {
		return nil, startError(p, err)
	}
	address := s.url
	if auth, ok := s.conn.Auth.(ncw.CustomEndpointAuthenticator); ok {
		// The driver may use an internal endpoint; clients can't.
		if public := auth.StorageUrlForEndpoint(ncw.EndpointTypePublic); public != "" {
			address = public
		}
	}
	account, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("swift: the storage URL of the account: %w", err)
	}
	key, err := tempURLKey(ctx, c, p, container)
	if err != nil {
		return nil, err
	}
	return &tempURL{account: account, key: key, digest: info.digest(), methods: redirectMethods(p, info)}, nil
}

// tempURLKey finds the key to sign with. A configured key is set in Swift if Swift has none yet. A key that differs
// from Swift's is an error: every redirected pull would fail, and Swift's key must not be replaced, because others may
// use it.
func tempURLKey(ctx context.Context, c *client, p *Options, container ncw.Headers) (string, error) {
	level, headers := "container", container
	if !p.TempURLContainerKey {
		resp, err := c.do(ctx, request{method: http.MethodHead, account: true})
		if hasStatus(err, http.StatusForbidden) {
			return p.SecretKey, nil // only owners see the keys
		}
		if err != nil {
			return "", fmt.Errorf("swift: looking for the account's temporary URL key: %w", err)
		}
		level, headers = "account", resp.headers
	}
	name := "X-Container-Meta-Temp-Url-Key"
	if level == "account" {
		name = "X-Account-Meta-Temp-Url-Key"
	}
	first, second := headers[name], headers[name+"-2"]
	switch {
	case p.SecretKey != "" && (p.SecretKey == first || p.SecretKey == second):
		return p.SecretKey, nil
	case p.SecretKey == "" && first != "":
		return first, nil
	case p.SecretKey == "" && second != "":
		return second, nil
	case p.SecretKey == "":
		return "", fmt.Errorf("swift: container %q has no temporary URL key; give secretkey to set one", p.Container)
	case first != "" || second != "":
		return "", fmt.Errorf("swift: the %s has another temporary URL key than secretkey", level)
	}
	_, err := c.do(ctx, request{method: http.MethodPost, account: level == "account", headers: ncw.Headers{name: p.SecretKey}})
	if err != nil {
		return "", fmt.Errorf("swift: setting the temporary URL key of the %s: %w", level, err)
	}
	return p.SecretKey, nil
}

// digest is the best hash function that the cluster takes. Clusters that name none are older than this choice.
func (info *cluster) digest() func() hash.Hash {
	if info == nil || slices.Contains(info.TempURL.AllowedDigests, "sha256") {
		return sha256.New
	}
	if slices.Contains(info.TempURL.AllowedDigests, "sha512") {
		return sha512.New
	}
	return sha1.New
}

// redirectMethods are the methods a redirect is made for: those configured, or else all that the cluster takes.
func redirectMethods(p *Options, info *cluster) []string {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		wanted := len(p.TempURLMethods) == 0 || slices.Contains(p.TempURLMethods, method)
		taken := info == nil || slices.Contains(info.TempURL.Methods, method)
		if wanted && taken {
			methods = append(methods, method)
		}
	}
	return methods
}

// RedirectURL implements storagedriver.StorageDriver. It returns "" when no key is configured.
func (d *driver) RedirectURL(r *http.Request, path string) (string, error) {
	if d.tempURL == nil || !slices.Contains(d.tempURL.methods, r.Method) {
		return "", nil
	}
	return d.tempURL.sign(r.Method, d.fullName(d.fileName(path)), time.Now().Add(redirectValidity)), nil
}

// sign makes the URL of an object, named with its container.
func (t *tempURL) sign(method, name string, expires time.Time) string {
	target := *t.account
	target.Path += name
	until := strconv.FormatInt(expires.Unix(), 10)
	mac := hmac.New(t.digest, []byte(t.key))
	mac.Write([]byte(method + "\n" + until + "\n" + target.Path))
	target.RawQuery = url.Values{
		"temp_url_sig":     {hex.EncodeToString(mac.Sum(nil))},
		"temp_url_expires": {until},
	}.Encode()
	return target.String()
}
