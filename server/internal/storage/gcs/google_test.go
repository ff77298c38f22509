package gcs

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/gcs"
)

const chunk = 256 << 10

// google is as much of Google Cloud Storage as the driver asks for, with one bucket.
type google struct {
	// instead answers some requests, and says whether it did.
	instead func(w http.ResponseWriter, r *http.Request) bool

	mu      sync.Mutex
	objects map[string]*object
	// sessions are uploads by the names of their objects.
	sessions map[string][]byte
}

type object struct {
	Kind        string            `json:"kind"`
	Name        string            `json:"name"`
	Size        string            `json:"size"`
	ContentType string            `json:"contentType"`
	Metadata    map[string]string `json:"metadata"`
	content     []byte
}

var accountKey = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})), nil
})

// open is the driver, completed. It finds that google under all names: it can be told no other address.
func (g *google) open(t *testing.T, folder string) storagedriver.StorageDriver {
	t.Helper()
	g.objects, g.sessions = map[string]*object{}, map[string][]byte{}
	server := httptest.NewTLSServer(g)
	t.Cleanup(server.Close)
	before := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = before })
	transport := before.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	http.DefaultTransport = transport
	key, err := accountKey()
	if err != nil {
		t.Fatal(err)
	}
	driver, err := factory.Create(t.Context(), "gcs", map[string]any{
		"bucket": "images", "rootdirectory": folder, "chunksize": chunk,
		"credentials": map[any]any{
			"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": key,
			"token_uri": "https://oauth2.googleapis.com/token",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Complete(driver)
}

func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/token":
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}`)
	case g.instead == nil || !g.instead(w, r):
		w.Header().Set("X-Guploader-Uploadid", "1")
		g.serve(w, r)
	}
}

func (g *google) serve(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	query := r.URL.Query()
	name := query.Get("name")
	key, isObject := strings.CutPrefix(r.URL.Path, "/storage/v1/b/images/o/")
	from, to, isCopy := strings.Cut(key, "/rewriteTo/b/images/o/")
	switch {
	case query.Get("uploadType") == "multipart":
		g.putWhole(w, r)
	case strings.HasPrefix(r.URL.Path, "/upload") && r.Method == http.MethodPost:
		g.sessions[name] = nil
		w.Header().Set("Location", "https://www.googleapis.com/upload/session?"+r.URL.RawQuery)
	case strings.HasPrefix(r.URL.Path, "/upload"):
		g.putChunk(w, r, name)
	case isCopy:
		copied := *g.objects[from]
		copied.Name = to
		g.objects[to] = &copied
		say(w, http.StatusOK, map[string]any{"kind": "storage#rewriteResponse", "done": true, "resource": copied})
	case isObject && g.objects[key] == nil:
		refuse(w, http.StatusNotFound, "No such object: images/"+key)
	case isObject && r.Method == http.MethodDelete:
		delete(g.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case isObject:
		say(w, http.StatusOK, g.objects[key])
	case query.Has("prefix"):
		g.list(w, query.Get("prefix"), query.Get("delimiter"))
	default:
		g.read(w, strings.TrimPrefix(r.URL.Path, "/images/"))
	}
}

func (g *google) putWhole(w http.ResponseWriter, r *http.Request) {
	_, parameters, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	parts := multipart.NewReader(r.Body, parameters["boundary"])
	first, err := parts.NextPart()
	made := &object{}
	if err == nil {
		err = json.NewDecoder(first).Decode(made)
	}
	second, err2 := parts.NextPart()
	if err != nil || err2 != nil {
		refuse(w, http.StatusBadRequest, "not in two parts")
		return
	}
	content, _ := io.ReadAll(second)
	say(w, http.StatusOK, g.put(made, content))
}

func (g *google) put(made *object, content []byte) *object {
	made.Kind, made.Size, made.content = "storage#object", strconv.Itoa(len(content)), content
	g.objects[made.Name] = made
	return made
}

func (g *google) putChunk(w http.ResponseWriter, r *http.Request, name string) {
	content, _ := io.ReadAll(r.Body)
	g.sessions[name] = append(g.sessions[name], content...)
	if strings.HasSuffix(r.Header.Get("Content-Range"), "/*") {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", len(g.sessions[name])-1))
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	say(w, http.StatusOK, g.put(&object{Name: name, ContentType: "application/octet-stream"}, g.sessions[name]))
}

func (g *google) list(w http.ResponseWriter, prefix, delimiter string) {
	answer := map[string]any{"kind": "storage#objects"}
	var items []*object
	var prefixes []string
	for key, each := range g.objects {
		rest, ok := strings.CutPrefix(key, prefix)
		folder, _, isFolder := strings.Cut(rest, "/")
		switch {
		case !ok:
		case delimiter != "" && isFolder:
			prefixes = append(prefixes, prefix+folder+"/")
		default:
			items = append(items, each)
		}
	}
	slices.Sort(prefixes)
	answer["items"], answer["prefixes"] = items, slices.Compact(prefixes)
	say(w, http.StatusOK, answer)
}

func (g *google) read(w http.ResponseWriter, key string) {
	found := g.objects[key]
	if found == nil {
		w.Header().Set("Content-Type", "application/xml; charset=UTF-8")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<?xml version='1.0' encoding='UTF-8'?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>")
		return
	}
	w.Header().Set("Content-Type", found.ContentType)
	_, _ = io.Copy(w, bytes.NewReader(found.content))
}

func say(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}

func refuse(w http.ResponseWriter, status int, message string) {
	say(w, status, map[string]any{"error": map[string]any{"code": status, "message": message}})
}
