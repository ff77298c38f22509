// Package guard goes around the engine and its storage driver, for what is the same with
// every store: what is there and what is not, how much uploads may hold in memory, and
// what clients are told when the store can't be used.
package guard

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/download"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

const name = "guard"

func init() {
	err := storagemiddleware.Register(name, func(_ context.Context, driver storagedriver.StorageDriver, options map[string]any) (storagedriver.StorageDriver, error) {
		return options[name].(*Guard).around(driver), nil
	})
	if err != nil {
		panic(err)
	}
}

// Guard is the one of a server.
type Guard struct {
	storage   configuration.Storage
	redirects bool
	places    *places
	outage    *outage
	driver    storagedriver.StorageDriver
}

// New is for a server with this much memory.
func New(config *configuration.Configuration, memory int64, log *logrus.Entry) *Guard {
	return &Guard{
		storage:   config.Storage,
		redirects: download.Redirects(config),
		places:    placesOf(config.Storage, memory),
		outage:    &outage{store: store.Of(config), log: log, limits: map[store.Action]*trouble{}, files: map[string]time.Time{}},
	}
}

func (g *Guard) around(driver storagedriver.StorageDriver) storagedriver.StorageDriver {
	g.driver = download.Around(inTurn{exact{bounded{watched{withThreads(store.Steady(driver), g.storage), g.outage}, g.places}}}, g.redirects)
	return g.driver
}

// Driver is the store as the engine uses it, once that was made.
func (g *Guard) Driver() storagedriver.StorageDriver { return g.driver }

// Quiet keeps what the guard has told out of the engine's log.
func (g *Guard) Quiet(engine *logrus.Logger) {
	engine.SetFormatter(g.outage.quiet(engine.Formatter, logrus.ErrorLevel))
}

// Log is for those who use the store beside requests, and try again. What is lost for good they
// call an error, and that is told.
func (g *Guard) Log() *logrus.Entry {
	own := g.outage.log.Logger
	return logrus.NewEntry(&logrus.Logger{
		Out: own.Out, Hooks: own.Hooks, Level: own.GetLevel(), ReportCaller: own.ReportCaller, ExitFunc: own.ExitFunc,
		Formatter: g.outage.quiet(own.Formatter, logrus.WarnLevel),
	})
}

// Place tells the engine to put the guard around its driver.
func (g *Guard) Place(config *configuration.Configuration) {
	config.Middleware = map[string][]configuration.Middleware{
		"storage": {{Name: name, Options: configuration.Parameters{name: g}}},
	}
}

// Handler goes around the engine.
func (g *Guard) Handler(engine http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mine := &request{short: r.ContentLength == 0}
		// The engine does not close what it can't save.
		defer mine.end()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, mine))
		answer := &teller{ResponseWriter: w, request: mine}
		engine.ServeHTTP(answer, r)
		if r.Method == http.MethodGet && r.Context().Err() == nil && answer.short() {
			g.outage.lost(mine.loss())
			answer.lose(mine.loss().err)
		}
		answer.send()
		if answer.broken && !answer.whole() && r.Method != http.MethodHead {
			// The client sees that this is not all.
			panic(http.ErrAbortHandler)
		}
	})
}

// teller says when to come back, instead of the error the engine made of the reason. Of an
// error that nobody expected the engine tells clients all, paths in the store as well: that
// is for its log only. The engine begins to send a blob before it has asked the store for it:
// what it says is held back until there is something to send. Of an error that comes later, as
// when a mirror's upstream breaks off, it would write the words behind the content.
type teller struct {
	http.ResponseWriter
	request *request
	status  int
	sent    bool
	told    bool
	broken  bool
	gone    bool
	// written is how much of the content was, and length how much was said to come.
	written int64
	length  string
}

// whole says whether the client has all: only the cache of a mirror may lack it.
func (t *teller) whole() bool { return t.length == strconv.FormatInt(t.written, 10) }

// short says whether the store gave less than was promised, and nobody knows of it yet.
func (t *teller) short() bool {
	if t.status != http.StatusOK && t.status != http.StatusPartialContent || t.broken || t.gone || t.request.refusal() != nil {
		return false
	}
	promised, err := strconv.ParseInt(cmp.Or(t.length, t.Header().Get("Content-Length")), 10, 64)
	return err == nil && t.written < promised
}

// lose is for content of which the store gave not all. A client that has some of it sees that by
// the length.
func (t *teller) lose(err error) {
	switch {
	case t.sent:
	case err == nil, layout.IsMissing(err):
		t.sent = true
		t.replace()
		// The client is gone when this fails.
		_ = errcode.ServeJSON(t.ResponseWriter, errcode.ErrorCodeBlobUnknown)
	default:
		t.status = http.StatusInternalServerError
	}
}

func (t *teller) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		t.ResponseWriter.WriteHeader(status)
	case t.sent:
		t.broken = t.broken || t.status < http.StatusBadRequest && status >= http.StatusBadRequest
	case status >= http.StatusBadRequest:
		t.status = status
		t.send()
	case t.status == 0:
		t.status = status
	}
}

// send is for what was held back.
func (t *teller) send() {
	if t.sent || t.status == 0 {
		return
	}
	t.sent = true
	refusal := t.request.refusal()
	// What its client did wrong stays that.
	if t.status >= http.StatusInternalServerError {
		refusal = cmp.Or(refusal, t.request.denial())
	}
	switch {
	case t.request.isOvertaken():
		t.replace()
		// The client is gone when this fails.
		_ = errcode.ServeJSON(t.ResponseWriter, errcode.ErrorCodeBlobUploadUnknown)
	// A push that was done is done; what was to be read was not.
	case refusal != nil && (t.status <= http.StatusOK || t.status == http.StatusPartialContent || t.status >= http.StatusBadRequest):
		t.replace()
		bounds.Unavailable(t.ResponseWriter, refusal.Error(), retryAfter)
	case t.status == http.StatusInternalServerError:
		t.replace()
		// The client is gone when this fails.
		_ = errcode.ServeJSON(t.ResponseWriter, errcode.ErrorCodeUnknown.WithDetail("the log of the server says more"))
	default:
		t.ResponseWriter.WriteHeader(t.status)
	}
}

// replace leaves out what the engine says, and what it knew before.
func (t *teller) replace() {
	t.told = true
	for _, name := range []string{"Accept-Ranges", "Cache-Control", "Content-Length", "Content-Range", "Content-Type", "Docker-Content-Digest", "Docker-Upload-Uuid", "Etag", "Location", "Range"} {
		t.Header().Del(name)
	}
}

const retryAfter = 10 * time.Second

func (t *teller) Write(p []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	if len(p) > 0 && !t.sent {
		t.sent, t.length = true, t.Header().Get("Content-Length")
		t.ResponseWriter.WriteHeader(t.status)
	}
	if t.told || t.broken {
		return len(p), nil
	}
	n, err := t.ResponseWriter.Write(p)
	t.written += int64(n)
	t.gone = err != nil
	return n, err
}

// Unwrap is for http.ResponseController.
func (t *teller) Unwrap() http.ResponseWriter { return t.ResponseWriter }
