package osstest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config is what a server needs to know. Bucket, Region and at least one
// credential are required.
type Config struct {
	Bucket      string
	Region      string
	Credentials []Credential
	// Dir holds large bodies. Empty means a temporary directory, removed by Close.
	Dir string
	// Now is the server's clock; nil means time.Now.
	Now func() time.Time
}

// Server is an http.Handler that answers as OSS does.
type Server struct {
	auth     authenticator
	recorder recorder
	spool    spool
	ownDir   bool
	closing  chan struct{}

	mu         sync.Mutex
	bucketName string
	bucket     bucket
}

// Endpoints the server answers for, without port. A bucket's host name is the
// bucket's name, a dot and one of these.
func endpoints() []string { return []string{"127.0.0.1", "oss.localhost", "localhost"} }

// New returns a server with one empty bucket.
func New(cfg Config) (*Server, error) {
	if cfg.Bucket == "" || cfg.Region == "" || len(cfg.Credentials) == 0 {
		return nil, errors.New("osstest: bucket, region and credentials are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Server{
		auth:       authenticator{cfg.Credentials, cfg.Region, cfg.Now},
		spool:      spool{cfg.Dir},
		bucketName: cfg.Bucket,
		bucket:     newBucket(),
		closing:    make(chan struct{}),
	}
	if cfg.Dir == "" {
		dir, err := os.MkdirTemp("", "osstest-")
		if err != nil {
			return nil, err
		}
		s.spool.dir, s.ownDir = dir, true
	}
	return s, nil
}

// Close ends held requests and drops the data.
func (s *Server) Close() error {
	close(s.closing)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bucket.clear()
	if s.ownDir {
		return os.RemoveAll(s.spool.dir)
	}
	return nil
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

// Start serves cfg on a loopback port for the length of a test. The port is
// part of the returned address, "127.0.0.1:port".
func Start(t TB, cfg Config) (s *Server, address string) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		h.CloseClientConnections()
		h.Close()
	})
	return s, h.Listener.Addr().String()
}

// call is one request, with the key from its URL.
type call struct {
	w   http.ResponseWriter
	r   *http.Request
	key string
}

// ServeHTTP finds the operation, checks host and signature and runs it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "AliyunOSS")
	w.Header().Set("x-oss-request-id", newID(12))
	c := call{w: w, r: r, key: strings.TrimPrefix(r.URL.Path, "/")}
	op, run := s.operation(r, c.key)
	fault := s.recorder.add(Request{Op: op, Key: c.key, BytesIn: r.ContentLength, UserAgent: r.UserAgent()})
	w, proceed := fault.apply(w, r, s.closing)
	if !proceed {
		return
	}
	c.w = w
	err := s.admit(r, c.key)
	if err == nil {
		err = run(c)
	}
	var failed apiError
	switch {
	case errors.As(err, &failed):
		writeError(w, r, failed)
	case err != nil:
		// The client went away or the disk failed: nothing to tell.
		panic(http.ErrAbortHandler)
	}
}

// admit checks addressing, signature and bucket.
func (s *Server) admit(r *http.Request, key string) error {
	bucketName, err := bucketOf(r.Host)
	if err != nil {
		return err
	}
	if err := s.auth.check(r, bucketName, key); err != nil {
		return err
	}
	if bucketName != s.bucketName {
		return apiError{status: http.StatusNotFound, Code: "NoSuchBucket", Message: "The specified bucket does not exist."}
	}
	return nil
}

// bucketOf takes the bucket from the host name and refuses path style with the
// service's own words.
func bucketOf(hostport string) (string, error) {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	if slices.Contains(endpoints(), host) {
		return "", apiError{status: http.StatusForbidden, Code: "SecondLevelDomainForbidden",
			Message: "The bucket you are attempting to access must be addressed using OSS third level domain."}
	}
	name, endpoint, _ := strings.Cut(host, ".")
	if !slices.Contains(endpoints(), endpoint) {
		return "", apiError{status: http.StatusForbidden, Code: "AccessDenied", EC: "0003-00001403", Endpoint: endpoints()[0],
			Message: "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."}
	}
	return name, nil
}

// operation names the API operation of a request and its handler.
func (s *Server) operation(r *http.Request, key string) (string, func(call) error) {
	q := r.URL.Query()
	copies := r.Header.Get("x-oss-copy-source") != ""
	switch {
	case key == "" && r.Method == http.MethodGet && q.Get("list-type") == "2":
		return "ListObjectsV2", s.listObjects
	case key == "" && r.Method == http.MethodGet && q.Has("uploads"):
		return "ListMultipartUploads", s.listUploads
	case key == "" && r.Method == http.MethodPost && q.Has("delete"):
		return "DeleteMultipleObjects", s.deleteObjects
	case key == "":
	case r.Method == http.MethodPut && q.Has("uploadId") && copies:
		return "UploadPartCopy", s.uploadPartCopy
	case r.Method == http.MethodPut && q.Has("uploadId"):
		return "UploadPart", s.uploadPart
	case r.Method == http.MethodPut && copies:
		return "CopyObject", s.copyObject
	case r.Method == http.MethodPut:
		return "PutObject", s.putObject
	case r.Method == http.MethodPost && q.Has("uploads"):
		return "InitiateMultipartUpload", s.initiateUpload
	case r.Method == http.MethodPost && q.Has("uploadId"):
		return "CompleteMultipartUpload", s.completeUpload
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		return "AbortMultipartUpload", s.abortUpload
	case r.Method == http.MethodDelete:
		return "DeleteObject", s.deleteObject
	case r.Method == http.MethodGet && q.Has("uploadId"):
		return "ListParts", s.listParts
	case r.Method == http.MethodGet:
		return "GetObject", s.getObject
	case r.Method == http.MethodHead:
		return "HeadObject", s.headObject
	}
	return "unknown", func(call) error {
		return apiError{status: http.StatusNotImplemented, Code: "NotImplemented", Message: "This test server does not speak that operation."}
	}
}

func newID(bytes int) string {
	id := make([]byte, bytes)
	rand.Read(id)
	return strings.ToUpper(hex.EncodeToString(id))
}
