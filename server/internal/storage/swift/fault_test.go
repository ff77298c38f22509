package swift

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ncw "github.com/ncw/swift/v2"
)

// faultyProxy stands between a driver and the real Swift. Its fault may answer a request itself, and then returns
// true. Swift tells clients the address that they connected to, so all their requests go through the proxy.
type faultyProxy struct {
	*httptest.Server
	mu    sync.Mutex
	fault func(w http.ResponseWriter, r *http.Request) bool
}

func (p *faultyProxy) set(fault func(w http.ResponseWriter, r *http.Request) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

func newFaultyProxy(t *testing.T) *faultyProxy {
	t.Helper()
	target, err := url.Parse(swiftAccount(t).authURL)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Director:      func(r *http.Request) { r.URL.Scheme, r.URL.Host = target.Scheme, target.Host },
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p := &faultyProxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		fault := p.fault
		p.mu.Unlock()
		if fault == nil || !fault(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// through is the parameters with the proxy's address in place of Swift's.
func (p *faultyProxy) through(t *testing.T, parameters map[string]any) map[string]any {
	t.Helper()
	u, err := url.Parse(parameters["authurl"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return with(parameters, "authurl", p.URL+u.Path)
}

// refuse is the fault of a store that does not work for one method, on objects with part in their names.
func refuse(method, part string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		refused := r.Method == method && strings.Contains(r.URL.Path, part)
		if refused {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return refused
	}
}

// quick makes a driver wait milliseconds where it waits seconds.
func quick(d *driver) *driver {
	d.client.retry.wait, d.client.retry.longest = time.Millisecond, 10*time.Millisecond
	return d
}

// workload is what the engine does to store a blob and read it.
func workload(t *testing.T, d *driver) {
	t.Helper()
	ctx := context.Background()
	if err := d.PutContent(ctx, uploadDir+"/startedat", []byte("now")); err != nil {
		t.Fatal(err)
	}
	closeWriter(t, writerAt(t, d, uploadPath, false))
	w := writerAt(t, d, uploadPath, true)
	copyTo(t, w, randomContent(1, 3*mib+1))
	closeWriter(t, w)
	w = writerAt(t, d, uploadPath, true)
	copyTo(t, w, randomContent(2, 2*mib+1))
	commit(t, w)
	if err := d.Move(ctx, uploadPath, blobPath); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(ctx, uploadDir); err != nil {
		t.Fatal(err)
	}
	paths, err := d.List(ctx, blobDir)
	if err != nil || len(paths) != 1 || paths[0] != blobPath {
		t.Fatalf("listed %v: %v", paths, err)
	}
	wantFile(t, d, blobPath, io.MultiReader(randomContent(1, 3*mib+1), randomContent(2, 2*mib+1)))
	if n := len(storedSegments(t, d)); n != 6 {
		t.Errorf("%d segments are stored, want 6", n)
	}
	if err := d.Delete(ctx, blobDir); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, d)
}

// TestFaults runs the workload with every request failing at first.
func TestFaults(t *testing.T) {
	hangUp := func(w http.ResponseWriter) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		conn.Close()
	}
	for name, test := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request)
		// answered: the request does reach Swift, only its answer is lost.
		answered bool
	}{
		"503": {fault: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }},
		"500 after the body": {fault: func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusInternalServerError)
		}},
		"429":         {fault: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }},
		"connection":  {fault: func(w http.ResponseWriter, r *http.Request) { hangUp(w) }},
		"lost answer": {fault: func(w http.ResponseWriter, r *http.Request) { hangUp(w) }, answered: true},
		"no answer": {fault: func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}},
		"token refused": {fault: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := newFaultyProxy(t)
			d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
			impatient(d, 500*time.Millisecond)
			swift := &http.Client{}
			var requests, failed atomic.Int32
			tried := sync.Map{}
			proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/auth/") {
					return false
				}
				requests.Add(1)
				key := fmt.Sprint(r.Method, r.URL, r.Header["Range"])
				count, _ := tried.LoadOrStore(key, new(atomic.Int32))
				if count.(*atomic.Int32).Add(1)%2 == 0 {
					return false
				}
				failed.Add(1)
				if test.answered {
					resp, err := swift.Do(pastProxy(t, r))
					if err != nil {
						t.Error(err)
					} else {
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					}
				}
				test.fault(w, r)
				return true
			})
			workload(t, d)
			if failed.Load() == 0 || failed.Load() == requests.Load() {
				t.Errorf("%d of %d requests failed", failed.Load(), requests.Load())
			}
			t.Logf("%d of %d requests failed", failed.Load(), requests.Load())
		})
	}
}

// pastProxy is the same request to Swift itself, to be sent at any time.
func pastProxy(t *testing.T, r *http.Request) *http.Request {
	direct := r.Clone(context.WithoutCancel(r.Context()))
	direct.RequestURI = ""
	direct.URL.Scheme, direct.URL.Host = "http", swiftHost(t)
	return direct
}

func swiftHost(t *testing.T) string {
	u, err := url.Parse(swiftAccount(t).authURL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// impatient gives a driver other time limits for answers, from its next session on.
func impatient(d *driver, limit time.Duration) {
	connect := d.client.connect
	d.client.connect = func() *ncw.Connection {
		conn := connect()
		conn.ConnectTimeout, conn.Timeout = limit, limit
		return conn
	}
	d.client.current.Store(nil)
}

// TestLastingFault must give up, and name the request and the status.
func TestLastingFault(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := quick(open(t, proxy.through(t, newContainer(t))))
	var requests atomic.Int32
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		requests.Add(1)
		w.Header().Set("X-Trans-Id", "tx123")
		http.Error(w, "<html><h1>Service Unavailable</h1></html>", http.StatusServiceUnavailable)
		return true
	})
	err := d.PutContent(context.Background(), blobPath, []byte("x"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"PUT " + d.client.container + "/files" + blobPath, "503 Service Unavailable", "tx123"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q lacks %q", err, want)
		}
	}
	if n := int(requests.Load()); n != steady.attempts {
		t.Errorf("%d attempts, want %d", n, steady.attempts)
	}
}

// TestNoTimeToTryAgain runs out of time while the driver waits for another attempt: Swift's answer must be the reason.
func TestNoTimeToTryAgain(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := open(t, proxy.through(t, newContainer(t)))
	d.client.retry.wait, d.client.retry.longest = time.Hour, time.Hour
	proxy.set(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := d.GetContent(ctx, blobPath); !hasStatus(err, http.StatusTooManyRequests) {
		t.Errorf("got %v", err)
	}
	proxy.set(nil)
}

// TestBrokenDownload breaks the stream again and again: the reader must go on where it broke.
func TestBrokenDownload(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
	write(t, d, blobPath, randomContent(1, 10*mib))
	var broken atomic.Int32
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, blobPath) {
			return false
		}
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", swiftHost(t), ""
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return false
		}
		defer resp.Body.Close()
		for key, values := range resp.Header {
			w.Header()[key] = values
		}
		w.WriteHeader(resp.StatusCode)
		if n, _ := io.CopyN(w, resp.Body, 3*mib); n == 3*mib {
			broken.Add(1)
			panic(http.ErrAbortHandler)
		}
		return true
	})
	wantFile(t, d, blobPath, randomContent(1, 10*mib))
	if broken.Load() != 3 {
		t.Errorf("the stream broke %d times, want 3", broken.Load())
	}

	// Another object in its place must not be taken for the rest of it.
	r, err := d.Reader(context.Background(), blobPath, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.CopyN(io.Discard, r, mib); err != nil {
		t.Fatal(err)
	}
	write(t, d, blobPath, randomContent(2, 10*mib))
	if n, err := io.Copy(io.Discard, r); err == nil {
		t.Errorf("read %d more bytes out of two objects", n)
	}
}

// TestMoveThatDied deletes the source of a Move that did not finish, as the engine's purge of old uploads
// does days later.
func TestMoveThatDied(t *testing.T) {
	ctx := context.Background()
	for name, test := range map[string]struct {
		method string // that fails
		moved  bool
	}{
		"before the mark":        {http.MethodPost, false},
		"before the copy":        {"COPY", false},
		"before the source went": {http.MethodDelete, true},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := newFaultyProxy(t)
			d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
			write(t, d, uploadPath, randomContent(1, 3*mib+1))
			proxy.set(refuse(test.method, ""))
			if err := d.Move(ctx, uploadPath, blobPath); err == nil {
				t.Fatal("no error")
			}
			proxy.set(refuse(http.MethodDelete, ""))
			aged(d)
			if err := d.Delete(ctx, uploadDir); err == nil {
				t.Fatal("no error of the deletion")
			}
			proxy.set(nil)
			if err := d.Delete(ctx, uploadDir); err != nil {
				t.Fatal(err)
			}
			if test.moved {
				wantFile(t, d, blobPath, randomContent(1, 3*mib+1))
				if err := d.Delete(ctx, blobDir); err != nil {
					t.Fatal(err)
				}
			}
			wantEmpty(t, d)
		})
	}
	t.Run("and is done again", func(t *testing.T) {
		proxy := newFaultyProxy(t)
		d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
		write(t, d, uploadPath, randomContent(1, 3*mib+1))
		proxy.set(refuse(http.MethodDelete, ""))
		if err := d.Move(ctx, uploadPath, blobPath); err == nil {
			t.Fatal("no error")
		}
		proxy.set(nil)
		if err := d.Move(ctx, uploadPath, blobPath); err != nil {
			t.Fatal(err)
		}
		wantFile(t, d, blobPath, randomContent(1, 3*mib+1))
		if err := d.Delete(ctx, blobDir); err != nil {
			t.Fatal(err)
		}
		wantEmpty(t, d)
	})
}

// TestLateCopy lets Swift copy a manifest after the Move was given up and the engine has cancelled the upload.
func TestLateCopy(t *testing.T) {
	ctx := context.Background()
	proxy := newFaultyProxy(t)
	d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
	w := writerAt(t, d, uploadPath, false)
	copyTo(t, w, randomContent(1, 3*mib+1))
	commit(t, w)
	var unanswered atomic.Pointer[http.Request]
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != "COPY" {
			return false
		}
		unanswered.Store(pastProxy(t, r))
		w.WriteHeader(http.StatusGatewayTimeout)
		return true
	})
	if err := d.Move(ctx, uploadPath, blobPath); err == nil {
		t.Fatal("no error")
	}
	// The engine deletes the upload's folder unless this fails.
	if err := w.Cancel(ctx); err == nil || !strings.Contains(err.Error(), blobPath) {
		t.Errorf("cancelled: %v", err)
	}
	proxy.set(nil)
	resp, err := http.DefaultClient.Do(unanswered.Load())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := aged(d).Delete(ctx, uploadDir); err != nil {
		t.Fatal(err)
	}
	wantFile(t, d, blobPath, randomContent(1, 3*mib+1))
	if err := d.Delete(ctx, blobDir); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, d)
}

// TestDeletionThatDied cuts the deletion of a blob short. What is left must be an empty file, which enginestore takes
// for a missing one, and whatever follows must leave nothing of it.
func TestDeletionThatDied(t *testing.T) {
	ctx := context.Background()
	for failing, part := range map[string]string{"segment": "/00000002-", "file": blobPath} {
		for then, test := range map[string]struct {
			do   func(t *testing.T, d *driver)
			want io.Reader
			left int // segments
		}{
			"deleted again": {func(t *testing.T, d *driver) {
				if err := d.Delete(ctx, blobPath); err != nil {
					t.Fatal(err)
				}
			}, nil, 0},
			"deleted with its folder": {func(t *testing.T, d *driver) {
				if err := d.Delete(ctx, blobDir); err != nil {
					t.Fatal(err)
				}
			}, nil, 0},
			"pushed again": {func(t *testing.T, d *driver) {
				write(t, d, uploadPath, randomContent(2, 3*mib))
				if err := d.Move(ctx, uploadPath, blobPath); err != nil {
					t.Fatal(err)
				}
			}, randomContent(2, 3*mib), 3},
			"written again": {func(t *testing.T, d *driver) {
				if err := d.PutContent(ctx, blobPath, []byte("x")); err != nil {
					t.Fatal(err)
				}
			}, strings.NewReader("x"), 0},
		} {
			t.Run(failing+", then "+then, func(t *testing.T) {
				proxy := newFaultyProxy(t)
				d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
				d.limits.bulk = 0
				write(t, d, blobPath, randomContent(1, 3*mib))
				proxy.set(refuse(http.MethodDelete, part))
				if err := d.Delete(ctx, blobPath); err == nil {
					t.Fatal("no error")
				}
				proxy.set(nil)
				if info, err := d.Stat(ctx, blobPath); err != nil || info.Size() != 0 {
					t.Errorf("half deleted: %v, %v", info, err)
				}
				test.do(t, d)
				if test.want == nil {
					wantEmpty(t, d)
					return
				}
				wantFile(t, d, blobPath, test.want)
				if n := len(storedSegments(t, d)); n != test.left {
					t.Errorf("%d segments are stored, want %d", n, test.left)
				}
			})
		}
	}
}

// TestFailedClose loses the store while an upload is closed. Size must then be the size to continue from: the engine
// tells it to the client whatever Close returns.
func TestFailedClose(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := quick(open(t, proxy.through(t, with(newContainer(t), "chunksize", mib))))
	w := writerAt(t, d, uploadPath, false)
	copyTo(t, w, randomContent(1, 2*mib+1))
	closeWriter(t, w)
	w = writerAt(t, d, uploadPath, true)
	copyTo(t, w, randomContent(2, 2*mib+1))
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	if err := w.Close(); err == nil {
		t.Error("no error")
	}
	proxy.set(nil)
	if w.Size() != 2*mib+1 {
		t.Errorf("size %d", w.Size())
	}
	w = writerAt(t, d, uploadPath, true)
	copyTo(t, w, randomContent(3, 3*mib))
	commit(t, w)
	wantFile(t, d, uploadPath, io.MultiReader(randomContent(1, 2*mib+1), randomContent(3, 3*mib)))
}

// TestCancelledContext ends the context of every kind of request while Swift does not answer.
func TestCancelledContext(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := open(t, proxy.through(t, with(newContainer(t), "chunksize", mib)))
	write(t, d, blobPath, randomContent(1, 3*mib))
	write(t, d, uploadPath, randomContent(2, mib))
	for name, call := range map[string]func(ctx context.Context) error{
		"GetContent": func(ctx context.Context) error { _, err := d.GetContent(ctx, blobPath); return err },
		"PutContent": func(ctx context.Context) error { return d.PutContent(ctx, blobPath, nil) },
		"Reader":     func(ctx context.Context) error { _, err := d.Reader(ctx, blobPath, 0); return err },
		"Writer":     func(ctx context.Context) error { _, err := d.Writer(ctx, uploadPath, false); return err },
		"Stat":       func(ctx context.Context) error { _, err := d.Stat(ctx, blobPath); return err },
		"List":       func(ctx context.Context) error { _, err := d.List(ctx, blobDir); return err },
		"Walk":       func(ctx context.Context) error { return d.Walk(ctx, blobDir, nil) },
		"Move":       func(ctx context.Context) error { return d.Move(ctx, uploadPath, blobPath) },
		"Delete":     func(ctx context.Context) error { return d.Delete(ctx, blobDir) },
		"signing in": func(ctx context.Context) error {
			d.client.current.Store(nil)
			return d.Delete(ctx, blobDir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantCancelled(t, proxy, call)
		})
	}
	t.Run("an upload", func(t *testing.T) {
		proxy.set(nil)
		wantCancelled(t, proxy, func(ctx context.Context) error {
			proxy.set(nil)
			w, err := d.Writer(ctx, uploadPath, false)
			if err != nil {
				return err
			}
			defer w.Close()
			proxy.set(hang)
			_, err = io.Copy(w, randomContent(1, 100*mib))
			return err
		})
	})
	t.Run("a download", func(t *testing.T) {
		proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			w.Header().Set("X-Trans-Id", "tx1")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return true
		})
		ctx, cancel := context.WithCancel(context.Background())
		r, err := d.Reader(ctx, blobPath, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		time.AfterFunc(50*time.Millisecond, cancel)
		begun := time.Now()
		if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) || time.Since(begun) > 2*time.Second {
			t.Errorf("ended after %s with %v", time.Since(begun), err)
		}
	})
	proxy.set(nil)
}

func hang(_ http.ResponseWriter, r *http.Request) bool {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

// wantCancelled wants a call to end when its context does, with Swift not answering.
func wantCancelled(t *testing.T, proxy *faultyProxy, call func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	waiting := make(chan struct{})
	var once sync.Once
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		once.Do(func() { close(waiting) })
		return hang(w, r)
	})
	go func() {
		select {
		case <-waiting:
		case <-time.After(100 * time.Millisecond):
		}
		cancel()
	}()
	begun := time.Now()
	err := call(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("took %s to end", took)
	}
}

func TestStartErrors(t *testing.T) {
	const password = "do not show this"
	a := swiftAccount(t)
	good := newContainer(t)
	web := httptest.NewServer(http.NotFoundHandler())
	defer web.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>Welcome</html>") }))
	defer page.Close()
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer broken.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	listener.Close()
	storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Storage-Url", closed+"/v1/AUTH_test")
		w.Header().Set("X-Auth-Token", "token")
	}))
	defer storage.Close()
	forbidden := newFaultyProxy(t)
	forbidden.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			w.Header().Set("X-Trans-Id", "tx1")
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})

	for name, test := range map[string]struct {
		more []any
		want string
	}{
		"no container":        {[]any{"container", "nowhere"}, `container "nowhere" does not exist in this account; create it first`},
		"wrong password":      {[]any{"password", password}, a.authURL + " refused the credentials"},
		"wrong user":          {[]any{"username", "test:nobody", "password", password}, a.authURL + " refused the credentials"},
		"nobody listens":      {[]any{"authurl", closed + "/v3", "password", password}, "can't sign in at " + closed + "/v3: "},
		"no such host":        {[]any{"authurl", "http://swift.invalid/v3", "password", password}, "can't sign in at http://swift.invalid/v3: "},
		"not a service":       {[]any{"authurl", web.URL + "/v3", "password", password}, "is not an authentication service of version 3"},
		"a web page":          {[]any{"authurl", page.URL + "/v3", "password", password}, "can't sign in at " + page.URL},
		"broken service":      {[]any{"authurl", broken.URL + "/v3", "password", password}, "503 Service Unavailable"},
		"object store is off": {[]any{"authurl", storage.URL + "/v1"}, "signed in, but the object store can't be reached"},
		"not allowed":         {[]any{"authurl", forbidden.URL + "/auth/v1.0"}, "the credentials are good, but not allowed to use container"},
		"bad parameter":       {[]any{"chunksize", 1}, "chunksize must be between"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			_, err := New(context.Background(), with(good, test.more...))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), password) {
				t.Errorf("error %v tells the password", err)
			}
			if took := time.Since(begun); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		silent := newFaultyProxy(t)
		silent.set(hang)
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_, err := New(ctx, silent.through(t, good))
		if err == nil || !strings.Contains(err.Error(), "can't sign in at "+silent.URL) || !strings.Contains(err.Error(), "deadline exceeded") {
			t.Errorf("error %v", err)
		}
	})
}
