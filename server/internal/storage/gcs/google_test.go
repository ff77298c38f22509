package gcs

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

const chunk = 256 << 10

// google is the part of Google Cloud Storage that the driver uses, with one bucket.
type google struct {
	// instead answers some requests, and says whether it did.
	instead func(w http.ResponseWriter, r *http.Request) bool
	// page is the number of entries in a page of a list.
	page int

	mu  sync.Mutex
	dir string
	// files is the number of files in the folder.
	files   int
	objects map[string]*object
	// sessions are uploads by the names of their objects.
	sessions map[string]*resumable
	// generations is the number of objects made so far.
	generations int64
	// deleted are the names of deleted objects, in the order of their deletion.
	deleted []string
	// agents are the user agents of all requests except those for tokens.
	agents map[string]bool
}

type object struct {
	Kind        string            `json:"kind"`
	Name        string            `json:"name"`
	Size        string            `json:"size"`
	Generation  int64             `json:"generation,string"`
	MD5         string            `json:"md5Hash"`
	Updated     time.Time         `json:"updated"`
	ContentType string            `json:"contentType"`
	Metadata    map[string]string `json:"metadata"`
	file        string
}

type resumable struct {
	file string
	size int64
	made *object
}

var accountKey = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})), nil
})

// start starts the server, and returns a transport that connects all host names to it.
func (g *google) start(t *testing.T) *http.Transport {
	t.Helper()
	g.dir, g.objects, g.sessions, g.agents = t.TempDir(), map[string]*object{}, map[string]*resumable{}, map[string]bool{}
	if g.page == 0 {
		g.page = 1000
	}
	server := httptest.NewTLSServer(g)
	t.Cleanup(server.Close)
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	return transport
}

func parameters(t *testing.T, folder string) map[string]any {
	t.Helper()
	key, err := accountKey()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"bucket": "images", "rootdirectory": folder, "chunksize": chunk,
		"credentials": map[any]any{
			"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": key,
			"token_uri": "https://oauth2.googleapis.com/token",
		},
	}
}

func (g *google) open(t *testing.T, folder string) storagedriver.StorageDriver {
	t.Helper()
	driver, err := newDriver(t.Context(), parameters(t, folder), g.start(t))
	if err != nil {
		t.Fatal(err)
	}
	return driver
}

func (g *google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case g.instead != nil && g.instead(w, r):
	case isToken(r):
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}`)
	default:
		w.Header().Set("X-Guploader-Uploadid", "1")
		g.serve(w, r)
	}
}

func (g *google) serve(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.agents[r.UserAgent()] = true
	query := r.URL.Query()
	name := query.Get("name")
	key, isObject := strings.CutPrefix(r.URL.Path, "/storage/v1/b/images/o/")
	from, to, isCopy := strings.Cut(key, "/rewriteTo/b/images/o/")
	switch {
	case isCopy && g.objects[from] != nil && !g.isOf(query.Get("ifSourceGenerationMatch"), from),
		!isCopy && !g.isOf(query.Get("ifGenerationMatch"), cmp.Or(name, key)):
		refuse(w, http.StatusPreconditionFailed, "At least one of the pre-conditions you specified did not hold.")
	case query.Get("uploadType") == "multipart":
		g.putWhole(w, r)
	case strings.HasPrefix(r.URL.Path, "/upload") && r.Method == http.MethodPost:
		g.sessions[name] = &resumable{file: g.file()}
		w.Header().Set("Location", "https://storage.googleapis.com/upload/session?"+r.URL.RawQuery)
	case strings.HasPrefix(r.URL.Path, "/upload") && g.sessions[name] == nil:
		refuse(w, http.StatusNotFound, "no such session")
	case strings.HasPrefix(r.URL.Path, "/upload"):
		g.putChunk(w, r, name)
	case isCopy && g.objects[from] != nil:
		copied := *g.objects[from]
		g.generations++
		copied.Name, copied.Generation = to, g.generations
		g.objects[to] = &copied
		say(w, http.StatusOK, map[string]any{"kind": "storage#rewriteResponse", "done": true, "resource": copied})
	case isObject && g.objects[key] == nil:
		refuse(w, http.StatusNotFound, "No such object: images/"+key)
	case isObject && r.Method == http.MethodDelete:
		delete(g.objects, key)
		g.deleted = append(g.deleted, key)
		w.WriteHeader(http.StatusNoContent)
	case isObject:
		say(w, http.StatusOK, g.objects[key])
	case query.Has("prefix"):
		g.list(w, query.Get("prefix"), query.Get("delimiter"), query.Get("pageToken"))
	default:
		g.read(w, r, strings.TrimPrefix(r.URL.Path, "/images/"))
	}
}

func (g *google) file() string {
	g.files++
	return filepath.Join(g.dir, strconv.Itoa(g.files))
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
	content, err := io.ReadAll(second)
	if err != nil {
		return
	}
	file := g.file()
	_ = os.WriteFile(file, content, 0o600)
	say(w, http.StatusOK, g.put(made, file, int64(len(content))))
}

// isOf says whether an object has a generation, if one is asked for. 0 means that there must be no object.
func (g *google) isOf(generation, name string) bool {
	var has int64
	if found := g.objects[name]; found != nil {
		has = found.Generation
	}
	return generation == "" || generation == strconv.FormatInt(has, 10)
}

func (g *google) put(made *object, file string, size int64) *object {
	sum := md5.New()
	if content, err := os.Open(file); err == nil {
		_, _ = io.Copy(sum, content)
		content.Close()
	}
	g.generations++
	made.Generation, made.MD5 = g.generations, base64.StdEncoding.EncodeToString(sum.Sum(nil))
	made.Kind, made.Size, made.Updated, made.file = "storage#object", strconv.FormatInt(size, 10), time.Now(), file
	g.objects[made.Name] = made
	return made
}

// putChunk ignores bytes that it already has. Of a chunk that breaks off, it keeps only whole steps.
func (g *google) putChunk(w http.ResponseWriter, r *http.Request, name string) {
	s := g.sessions[name]
	span, total, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Content-Range"), "bytes "), "/")
	if from, _, isChunk := strings.Cut(span, "-"); isChunk && s.made == nil {
		start, _ := strconv.ParseInt(from, 10, 64)
		if start > s.size {
			refuse(w, http.StatusServiceUnavailable, "something before it is missing")
			return
		}
		_, _ = io.CopyN(io.Discard, r.Body, s.size-start)
		file, _ := os.OpenFile(s.file, os.O_CREATE|os.O_WRONLY, 0o600)
		_, _ = file.Seek(s.size, io.SeekStart)
		n, _ := io.Copy(file, r.Body)
		if start+r.ContentLength > s.size+n {
			n = n / step * step
		}
		s.size += n
		file.Close()
	}
	if s.made == nil && strconv.FormatInt(s.size, 10) == total {
		s.made = g.put(&object{Name: name, ContentType: "application/octet-stream"}, s.file, s.size)
	}
	if s.made != nil {
		say(w, http.StatusOK, s.made)
		return
	}
	if s.size > 0 {
		w.Header().Set("Range", fmt.Sprintf("bytes=0-%d", s.size-1))
	}
	w.WriteHeader(http.StatusPermanentRedirect)
}

func say(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(what)
}

func refuse(w http.ResponseWriter, status int, message string) {
	say(w, status, map[string]any{"error": map[string]any{"code": status, "message": message}})
}
